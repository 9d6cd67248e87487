import { createHash } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { Service } from "./user-service.ts";
import { codeOf, failureOf, fieldsOf, mailedToken, password, signUp, startService } from "./user-service.ts";
import { Status } from "@chirrup/grpc";

const leaked = "a phrase that leaked";
const sha1 = (text: string): string => createHash("sha1").update(text).digest("hex").toUpperCase();

const asked: string[] = [];
let isAway = false;
const range = createServer((request, response) => {
  asked.push(request.url ?? "");
  const prefix = request.url?.split("/").at(-1) ?? "";
  const hash = sha1(leaked);
  response.statusCode = isAway ? 503 : 200;
  // Padding among them: the password of the tests, with a count of 0.
  const padding = `${sha1(password).slice(5)}:0`;
  response.end(hash.startsWith(prefix) ? `${"0".repeat(35)}:3\r\n${hash.slice(5)}:7\r\n` : padding);
});

let service: Service;
beforeAll(async () => {
  await new Promise<void>((resolve) => range.listen(0, "127.0.0.1", resolve));
  const { port } = range.address() as AddressInfo;
  service = await startService({ BREACHED_PASSWORDS_URL: `http://127.0.0.1:${port}/range/` });
});
afterAll(async () => {
  await service[Symbol.asyncDispose]();
  range.close();
});

it("refuses a new password that is in a leak, wherever one is set", async () => {
  const { client } = service;
  const someone = { username: "leaky", email: "leaky@example.com", password: leaked };
  expect(fieldsOf(await failureOf(client.register(someone)))).toEqual(["password"]);
  const { email, call } = await signUp(client);
  const change = client.changePassword({ currentPassword: password, newPassword: leaked }, call);
  expect(fieldsOf(await failureOf(change))).toEqual(["newPassword"]);
  await client.requestPasswordReset({ email });
  const token = await mailedToken(service, email, "Set a new password");
  const reset = client.confirmPasswordReset({ token, newPassword: leaked });
  expect(fieldsOf(await failureOf(reset))).toEqual(["newPassword"]);
  expect(asked.every((path) => /^\/range\/[0-9A-F]{5}$/.test(path))).toBe(true);
});

it("lets passwords pass while the service is away", async () => {
  const { client } = service;
  isAway = true;
  const someone = { username: "leaky_2", email: "leaky2@example.com", password: leaked };
  expect(await codeOf(client.register(someone))).toBe(Status.OK);
});
