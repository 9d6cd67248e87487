import { fromBinary } from "@bufbuild/protobuf";
import { durationMs } from "@bufbuild/protobuf/wkt";
import type { GrpcError } from "@chirrup/grpc";
import { Status } from "@chirrup/grpc";
import { RetryInfoSchema } from "@chirrup/proto/google/rpc/error_details";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Service } from "./user-service.ts";
import { codeOf, failureOf, from, password, signUp, startService } from "./user-service.ts";

const wrong = "wrong password";
const home = from("192.0.2.1");
const minuteMs = 60_000;

let service: Service;
beforeAll(async () => {
  service = await startService({
    SIGN_IN_FREE_ATTEMPTS: "3",
    SIGN_IN_FREE_ATTEMPTS_ELSEWHERE: "6",
    SIGN_IN_FREE_ATTEMPTS_ADDRESS: "8",
  });
});
afterAll(() => service[Symbol.asyncDispose]());

function delayOf(error: GrpcError): number {
  const detail = error.details.find(({ typeUrl }) => typeUrl.endsWith(RetryInfoSchema.typeName));
  const { retryDelay } = fromBinary(RetryInfoSchema, detail?.value ?? new Uint8Array());
  return retryDelay === undefined ? 0 : durationMs(retryDelay);
}

const guess = (login: string, address: string): Promise<Status> =>
  codeOf(service.client.login({ login, password: wrong }, from(address)));

/** How long the next try must wait; undefined when it need not. */
async function waitFor(login: string, address: string): Promise<number | undefined> {
  const error = await failureOf(service.client.login({ login, password: wrong }, from(address)));
  return error.code === Status.RESOURCE_EXHAUSTED ? delayOf(error) : undefined;
}

describe("wrong passwords for one login from one address", () => {
  it("must wait after the third, twice as long each time, and the right one waits too", async () => {
    const { client, clock } = service;
    const { username } = await signUp(client);
    for (let count = 0; count < 3; count++)
      expect(await guess(username, "198.51.100.1")).toBe(Status.UNAUTHENTICATED);
    const delays: number[] = [];
    for (let count = 0; count < 4; count++) {
      const delayMs = (await waitFor(username, "198.51.100.1")) ?? 0;
      delays.push(Math.ceil(delayMs / 1_000));
      clock.advance(delayMs);
      expect(await guess(username, "198.51.100.1")).toBe(Status.UNAUTHENTICATED);
    }
    expect(delays).toEqual([1, 2, 4, 8]);
    const early = client.login({ login: username, password }, from("198.51.100.1"));
    expect(await codeOf(early)).toBe(Status.RESOURCE_EXHAUSTED);
    clock.advance(16_000);
    expect(await codeOf(client.login({ login: username, password }, from("198.51.100.1")))).toBe(Status.OK);
    // All is forgiven: the next wrong one is the first.
    expect(await guess(username, "198.51.100.1")).toBe(Status.UNAUTHENTICATED);
  });

  it("count the same for a login that nobody has", async () => {
    for (let count = 0; count < 3; count++) {
      expect(await guess("nobody_has_this", "198.51.100.2")).toBe(Status.UNAUTHENTICATED);
    }
    expect(await waitFor("NOBODY_has_this", "198.51.100.2")).toBeGreaterThan(0);
  });

  it("let no more through, when many come at once, than are hashed at once", async () => {
    const { username } = await signUp(service.client);
    const codes = await Promise.all(Array.from({ length: 30 }, () => guess(username, "198.51.100.3")));
    const answered = codes.filter((code) => code === Status.UNAUTHENTICATED).length;
    expect(answered).toBeGreaterThanOrEqual(3);
    // Two are hashed at once, and either may be the third.
    expect(answered).toBeLessThanOrEqual(4);
    expect(codes.filter((code) => code === Status.RESOURCE_EXHAUSTED)).toHaveLength(30 - answered);
  });

  it("do not stand in the way of right ones, any number at once", async () => {
    const { client } = service;
    const { username } = await signUp(client);
    const right = () => codeOf(client.login({ login: username, password }, from("198.51.100.5")));
    expect(new Set(await Promise.all(Array.from({ length: 30 }, right)))).toEqual(new Set([Status.OK]));
  });

  it("wait a quarter of an hour at most, and are forgotten after a day", async () => {
    const { client, clock } = service;
    const { username } = await signUp(client);
    let longestMs = 0;
    for (let count = 0; count < 40; count++) {
      const delayMs = (await waitFor(username, "198.51.100.4")) ?? 0;
      longestMs = Math.max(longestMs, delayMs);
      clock.advance(delayMs);
    }
    expect(longestMs).toBeGreaterThan(14 * minuteMs);
    expect(longestMs).toBeLessThanOrEqual(15 * minuteMs);
    clock.advance(24 * 60 * minuteMs);
    for (let count = 0; count < 3; count++)
      expect(await guess(username, "198.51.100.4")).toBe(Status.UNAUTHENTICATED);
  });
});

describe("a stranger", () => {
  it("with many addresses slows one login everywhere but where its owner signed in before", async () => {
    const { client } = service;
    const { username, email } = await signUp(client);
    await client.login({ login: username, password }, home);
    for (let host = 1; host <= 6; host++)
      expect(await guess(username, `203.0.113.${host}`)).toBe(Status.UNAUTHENTICATED);
    expect(await guess(username, "203.0.113.7")).toBe(Status.RESOURCE_EXHAUSTED);
    // The owner at home signs in at once, by name or by address, and from a new address after the wait.
    expect(await codeOf(client.login({ login: username, password }, home))).toBe(Status.OK);
    expect(await codeOf(client.login({ login: email, password }, home))).toBe(Status.OK);
    service.clock.advance(1_500);
    expect(await codeOf(client.login({ login: username, password }, from("203.0.113.99")))).toBe(Status.OK);
  });

  it("who tries many logins from one address is slowed there, and no other is", async () => {
    const { client } = service;
    const { username } = await signUp(client);
    const network = "2001:db8:1:1";
    for (let host = 1; host <= 8; host++) {
      expect(await guess(`nobody_${host}`, `${network}::${host}`)).toBe(Status.UNAUTHENTICATED);
    }
    expect(await guess("nobody_9", `${network}::9`)).toBe(Status.RESOURCE_EXHAUSTED);
    expect(await codeOf(client.login({ login: username, password }, from("2001:db8:1:2::1")))).toBe(
      Status.OK,
    );
  });

  it("who signs in between to an account of their own gets no more guesses at another's", async () => {
    const { client } = service;
    const [own, other] = [await signUp(client), await signUp(client)];
    const codes: Status[] = [];
    for (let turn = 0; turn < 5; turn++) {
      codes.push(await guess(other.username, "203.0.113.200"));
      await client.login({ login: own.username, password }, from("203.0.113.200")).catch(() => undefined);
    }
    expect(codes.filter((code) => code === Status.UNAUTHENTICATED)).toHaveLength(3);
  });
});

it("whoever holds a token cannot guess the password behind it without delay", async () => {
  const { client } = service;
  const { call } = await signUp(client);
  const attempt = () =>
    codeOf(client.changePassword({ currentPassword: wrong, newPassword: "another long one" }, call));
  const codes = [await attempt(), await attempt(), await attempt(), await attempt()];
  expect(codes).toEqual([
    ...codes.slice(0, 3).map(() => Status.PERMISSION_DENIED),
    Status.RESOURCE_EXHAUSTED,
  ]);
});

it("the table of counts tells neither a login nor an address", async () => {
  await guess("typed_pa55word", "198.51.100.77");
  const rows = await service.postgres.query<{ row: string }>({
    name: "test_attempt_rows",
    text: "SELECT a::text AS row FROM attempts a UNION ALL SELECT k::text FROM known_addresses k",
  });
  expect(rows.length).toBeGreaterThan(0);
  for (const { row } of rows) expect(row).not.toMatch(/typed_pa55word|198\.51/);
});
