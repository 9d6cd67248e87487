import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { Service, SignedIn } from "./user-service.ts";
import { password, securityLogOf, signUp, startService } from "./user-service.ts";

const program = fileURLToPath(new URL("../src/end-sessions.ts", import.meta.url));

let service: Service;
beforeAll(async () => {
  service = await startService();
});
afterAll(() => service[Symbol.asyncDispose]());

async function endSessions(...args: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, ["-C", "source", program, ...args], {
    env: { DATABASE_URL: service.databaseUrl, LOG_LEVEL: "silent" },
  });
  return stdout.trim();
}

const isLive = async ({ sessionId }: SignedIn): Promise<boolean> =>
  (await service.client.checkSession({ sessionId })).live;

it("an operator ends the sessions of one user, or of all", async () => {
  const { client, postgres } = service;
  const [one, two, three] = [await signUp(client), await signUp(client), await signUp(client)];
  await client.login({ login: one.username, password });
  expect(await endSessions(String(one.userId))).toBe("2");
  expect(await Promise.all([one, two, three].map(isLive))).toEqual([false, true, true]);
  expect((await securityLogOf(postgres, one.userId)).at(-1)).toBe("sessions_ended_by_operator");
  expect(await endSessions("all")).toBe("2");
  expect(await Promise.all([one, two, three].map(isLive))).toEqual([false, false, false]);
  expect(await endSessions("all")).toBe("0");
  await expect(endSessions("everyone")).rejects.toThrow("usage");
});
