import { Status } from "@chirrup/grpc";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Service } from "./user-service.ts";
import {
  codeOf,
  failureOf,
  fieldsOf,
  password,
  saysWhenToRetry,
  sessionOf,
  signUp,
  startInstance,
  startService,
} from "./user-service.ts";

let service: Service;
beforeAll(async () => {
  service = await startService({ PASSWORD_HASH_MAX_WAITING: "4", SIGN_IN_FREE_ATTEMPTS: "1000" });
});
afterAll(() => service[Symbol.asyncDispose]());

describe("Login", () => {
  it("takes the username or the e-mail in any case, and opens a session each time", async () => {
    const { client } = service;
    const { userId, sessionId, username, email } = await signUp(client);
    const byName = await client.login({ login: username.toUpperCase(), password });
    const byMail = await client.login({ login: ` ${email.toUpperCase()} `, password });
    expect(byName.user).toMatchObject({ id: userId, username, email });
    expect(byMail.user).toEqual(byName.user);
    expect(byName.expiresIn).toBe(600);
    const sessions = new Set([sessionId, sessionOf(byName.accessToken), sessionOf(byMail.accessToken)]);
    expect(sessions.size).toBe(3);
  });

  it("says the same of an unknown login and a wrong password", async () => {
    const { client } = service;
    const { username } = await signUp(client);
    const wrong = await failureOf(client.login({ login: username, password: "not the password" }));
    expect(wrong.code).toBe(Status.UNAUTHENTICATED);
    for (const login of ["nobody_here", "nobody@example.com", "no such\0login", "x".repeat(508)]) {
      const unknown = await failureOf(client.login({ login, password }));
      expect([unknown.code, unknown.message]).toEqual([wrong.code, wrong.message]);
    }
    const long = await failureOf(client.login({ login: username, password: "x".repeat(1_024) }));
    expect([long.code, long.message]).toEqual([wrong.code, wrong.message]);
    const endless = { login: "x".repeat(509), password: "x".repeat(1_025) };
    expect(fieldsOf(await failureOf(client.login(endless)))).toEqual(["login", "password"]);
  });

  it("asks for both fields", async () => {
    const error = await failureOf(service.client.login({}));
    expect(error.code).toBe(Status.INVALID_ARGUMENT);
    expect(fieldsOf(error)).toEqual(["login", "password"]);
  });

  it("knows a password in any Unicode form", async () => {
    const { client } = service;
    const composed = "caf\u00e9 caf\u00e9";
    await client.register({ username: "unicode", email: "unicode@example.com", password: composed });
    const decomposed = composed.normalize("NFD");
    expect(await codeOf(client.login({ login: "unicode", password: decomposed }))).toBe(Status.OK);
  });

  it("hashes anew, at the next sign-in, what was hashed at another cost", async () => {
    const { client, postgres, databaseUrl } = service;
    const { userId, username } = await signUp(client);
    const stored = async () => {
      const [row] = await postgres.query<{ hash: string; version: number }>({
        name: "test_hash",
        text: "SELECT password_hash AS hash, version FROM credentials WHERE user_id = $1",
        values: [userId],
      });
      return row;
    };
    const before = await stored();
    await using dearer = await startInstance(databaseUrl, { env: { PASSWORD_HASH_PASSES: "6" } });
    await dearer.client.login({ login: username, password });
    const after = await stored();
    expect(before?.hash).toContain("t=5");
    expect(after?.hash).toContain("t=6");
    expect(after?.version).toBe(before?.version);
    expect(await codeOf(client.login({ login: username, password }))).toBe(Status.OK);
  });
});

describe("many sign-ins at once", () => {
  it("are refused beyond the line, with a time to retry, and do not stop other calls", async () => {
    const { client } = service;
    const { userId, username } = await signUp(client);
    const flood = Array.from({ length: 40 }, () => client.login({ login: username, password: "wrong one" }));
    const outcomes = Promise.all(flood.map(failureOf));
    expect(await codeOf(client.getUser({ userId }))).toBe(Status.OK);
    const errors = await outcomes;
    const refused = errors.filter(({ code }) => code === Status.RESOURCE_EXHAUSTED);
    expect(refused.length).toBeGreaterThan(0);
    expect(refused.every(saysWhenToRetry)).toBe(true);
    // One at work, at the least, and four in line got their answer.
    expect(errors.filter(({ code }) => code === Status.UNAUTHENTICATED).length).toBeGreaterThanOrEqual(5);
    expect(await codeOf(client.login({ login: username, password }))).toBe(Status.OK);
  });

  // So the time of an answer does not tell whether there is such an account.
  it("cost the same work when there is no such login", async () => {
    const { client } = service;
    const flood = Array.from({ length: 40 }, () => codeOf(client.login({ login: "nobody_here", password })));
    expect(new Set(await Promise.all(flood))).toEqual(
      new Set([Status.UNAUTHENTICATED, Status.RESOURCE_EXHAUSTED]),
    );
  });
});
