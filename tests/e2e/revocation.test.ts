import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { openRedis } from "@chirrup/platform";
import { testLog, waitFor } from "@chirrup/testkit";
import { beforeEach, describe, expect, inject, it } from "vitest";
import { call, newPerson, type Person } from "./support/api.ts";
import { pidOf } from "./support/chirrup.ts";

const home = inject("platformHome");
const root = fileURLToPath(new URL("../../", import.meta.url));
const { access } = JSON.parse(readFileSync(join(home, "state.json"), "utf8")) as {
  access: { databases: Record<string, string>; redisUrl: string };
};

let ended: Person;
let live: Person;
beforeEach(async () => {
  [ended, live] = await Promise.all([newPerson("ended"), newPerson("live")]);
});

/** What a caller gets who asks for something that is not the user service's; 0 while there is no gateway. */
async function statusFor({ id, token }: Person): Promise<number> {
  try {
    return (await call("GET", `/api/v1/users/${id}/follow-counts`, { token })).status;
  } catch {
    return 0;
  }
}

/** Ends all sessions of a user as an operator does, beside the service. */
function endSessionsOf({ id }: Person): void {
  const { status, stderr } = spawnSync(
    process.execPath,
    ["--conditions=source", "services/user/src/end-sessions.ts", id],
    { cwd: root, encoding: "utf8", env: { ...process.env, DATABASE_URL: access.databases["user"] } },
  );
  if (status !== 0) throw new Error(stderr);
}

async function logOut({ token }: Person): Promise<void> {
  expect((await call("POST", "/api/v1/logout", { token, body: {} })).status).toBe(200);
}

/** Whether the live one is let in, and what the ended one has got until then. */
async function untilLiveIsLetIn(): Promise<ReadonlySet<number>> {
  const seen = new Set<number>();
  await waitFor(
    async () => {
      seen.add(await statusFor(ended));
      return (await statusFor(live)) === 200;
    },
    { what: "the live session to be let in" },
  );
  seen.add(await statusFor(ended));
  return seen;
}

describe("a session that has ended", () => {
  it("is refused by a gateway that was killed at once, from its first answer on", async () => {
    await logOut(ended);
    process.kill(await pidOf(home, "gateway"), "SIGKILL");
    // Before it has heard of all sessions that ended it lets nobody in.
    const seen = await untilLiveIsLetIn();
    expect(seen).toContain(401);
    expect([...seen].filter((status) => ![0, 401, 503].includes(status))).toEqual([]);
  });

  it("is refused when Redis has lost everything", async () => {
    await logOut(ended);
    await waitFor(async () => (await statusFor(ended)) === 401, { timeoutMs: 1_000, what: "the revocation" });
    const redis = openRedis({ url: access.redisUrl, log: testLog(), name: "flush" });
    await redis.flushall();
    redis.disconnect();
    expect(await statusFor(ended)).toBe(401);
    expect(await statusFor(live)).toBe(200);
  });

  it("is refused a second after it ended while the gateway cannot reach the user service, as is everybody", async () => {
    expect(await statusFor(ended)).toBe(200);
    const pid = await pidOf(home, "user");
    process.kill(pid, "SIGSTOP");
    try {
      endSessionsOf(ended);
      await waitFor(async () => (await statusFor(ended)) === 503, { what: "the gateway to close" });
      expect(await statusFor(live)).toBe(503);
    } finally {
      process.kill(pid, "SIGCONT");
    }
    const seen = await untilLiveIsLetIn();
    expect(seen).toContain(401);
    expect(seen).not.toContain(200);
  });
});
