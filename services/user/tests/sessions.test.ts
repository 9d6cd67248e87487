import { Metadata, Status } from "@chirrup/grpc";
import { metadataKeys } from "@chirrup/platform";
import { waitFor } from "@chirrup/testkit";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Service, SignedIn } from "./user-service.ts";
import {
  as,
  codeOf,
  failureOf,
  fieldsOf,
  infoOf,
  password,
  sessionOf,
  signUp,
  startService,
} from "./user-service.ts";

let service: Service;
beforeAll(async () => {
  service = await startService();
});
afterAll(() => service[Symbol.asyncDispose]());

/** Signs in again and returns the session. */
async function signInAgain({ username }: SignedIn): Promise<bigint> {
  return sessionOf((await service.client.login({ login: username, password })).accessToken);
}

async function liveSessions(user: SignedIn): Promise<bigint[]> {
  const { sessions } = await service.client.listSessions({ pageSize: 100 }, user.call);
  return sessions.map(({ id }) => id);
}

describe("ListSessions", () => {
  it("pages through the live ones, newest first, each once", async () => {
    const { client } = service;
    const user = await signUp(client);
    const all = [user.sessionId];
    for (let n = 0; n < 4; n++) all.unshift(await signInAgain(user));
    const seen: bigint[] = [];
    let cursor = "";
    do {
      const page = await client.listSessions({ cursor, pageSize: 2 }, user.call);
      seen.push(...page.sessions.map(({ id }) => id));
      cursor = page.nextCursor;
    } while (cursor !== "");
    expect(seen).toEqual(all);
  });

  it("tells which is the caller's, and what the client said of itself", async () => {
    const { client } = service;
    const user = await signUp(client);
    const metadata = Metadata.from({
      [metadataKeys.userAgent]: `Browser ${"x".repeat(300)}`,
      [metadataKeys.clientAddress]: "203.0.113.7",
    });
    await client.login({ login: user.username, password }, { metadata });
    const { sessions } = await client.listSessions({}, user.call);
    expect(sessions.map(({ current }) => current)).toEqual([false, true]);
    expect(sessions[0]?.address).toBe("203.0.113.7");
    expect(sessions[0]?.userAgent).toHaveLength(200);
  });

  it("refuses the cursor of another and a negative size", async () => {
    const { client } = service;
    const [one, two] = [await signUp(client), await signUp(client)];
    await signInAgain(one);
    const { nextCursor } = await client.listSessions({ pageSize: 1 }, one.call);
    expect(nextCursor).not.toBe("");
    expect(fieldsOf(await failureOf(client.listSessions({ cursor: nextCursor }, two.call)))).toEqual([
      "cursor",
    ]);
    expect(fieldsOf(await failureOf(client.listSessions({ pageSize: -1 }, one.call)))).toEqual(["pageSize"]);
  });
});

describe("EndSession", () => {
  it("ends the caller's own, once", async () => {
    const { client } = service;
    const user = await signUp(client);
    const sessionId = await signInAgain(user);
    await client.endSession({ sessionId }, as(user.userId, user.sessionId, "key-2"));
    expect(await liveSessions(user)).toEqual([user.sessionId]);
    expect(await codeOf(client.endSession({ sessionId }, user.call))).toBe(Status.NOT_FOUND);
    const repeated = client.endSession({ sessionId }, as(user.userId, user.sessionId, "key-2"));
    expect(await codeOf(repeated)).toBe(Status.OK);
  });

  it("does not touch another's", async () => {
    const { client } = service;
    const [one, two] = [await signUp(client), await signUp(client)];
    expect(await codeOf(client.endSession({ sessionId: two.sessionId }, one.call))).toBe(Status.NOT_FOUND);
    expect(await liveSessions(two)).toEqual([two.sessionId]);
    expect(fieldsOf(await failureOf(client.endSession({}, one.call)))).toEqual(["sessionId"]);
  });
});

describe("EndAllSessions", () => {
  it("ends all of the caller's and nobody else's", async () => {
    const { client } = service;
    const [one, two] = [await signUp(client), await signUp(client)];
    await signInAgain(one);
    await client.endAllSessions({}, one.call);
    expect(await liveSessions(one)).toEqual([]);
    expect(await liveSessions(two)).toEqual([two.sessionId]);
  });
});

describe("ending other sessions", () => {
  it("takes a sign-in or the password within five minutes; ending this one does not", async () => {
    const { client, clock } = service;
    const user = await signUp(client);
    const other = await signInAgain(user);
    clock.advance(301_000);
    const reasonOf = async (attempt: Promise<unknown>) => infoOf(await failureOf(attempt))?.reason;
    expect(await reasonOf(client.endSession({ sessionId: other }, user.call))).toBe("PASSWORD_REQUIRED");
    expect(await reasonOf(client.endAllSessions({}, user.call))).toBe("PASSWORD_REQUIRED");
    expect(await liveSessions(user)).toHaveLength(2);
    await client.showPassword({ password }, user.call);
    await client.endSession({ sessionId: other }, user.call);
    expect(await liveSessions(user)).toEqual([user.sessionId]);
    clock.advance(301_000);
    await client.endSession({ sessionId: user.sessionId }, user.call);
    expect(await codeOf(client.refresh({ refreshToken: user.refreshToken }))).toBe(Status.UNAUTHENTICATED);
  });
});

describe("ChangePassword", () => {
  const newPassword = "a better one than before";

  it("takes the new password from then on, and ends the other sessions", async () => {
    const { client } = service;
    const user = await signUp(client);
    await signInAgain(user);
    await client.changePassword({ currentPassword: password, newPassword }, user.call);
    expect(await liveSessions(user)).toEqual([user.sessionId]);
    expect(await codeOf(client.login({ login: user.username, password }))).toBe(Status.UNAUTHENTICATED);
    expect(await codeOf(client.login({ login: user.username, password: newPassword }))).toBe(Status.OK);
  });

  it("refuses a wrong current password and a new one that is none", async () => {
    const { client } = service;
    const user = await signUp(client);
    await signInAgain(user);
    for (const currentPassword of ["", "not the password", "x".repeat(1_024)]) {
      const attempt = client.changePassword({ currentPassword, newPassword }, user.call);
      expect(await codeOf(attempt)).toBe(Status.PERMISSION_DENIED);
    }
    const short = client.changePassword({ currentPassword: password, newPassword: "short" }, user.call);
    expect(fieldsOf(await failureOf(short))).toEqual(["newPassword"]);
    expect(await liveSessions(user)).toHaveLength(2);
  });

  it("leaves no session to a sign-in that proved the old password before the change committed", async () => {
    const { client, postgres } = service;
    const user = await signUp(client);
    const waiters = async (count: number) => {
      const rows = await postgres.query({
        name: "test_waiters",
        text: `SELECT FROM pg_locks WHERE NOT granted AND relation = 'credentials'::regclass`,
      });
      return rows.length >= count;
    };
    const { change, signIn } = await postgres.transaction(async (tx) => {
      // Lets passwords be read and keeps everybody from the row until this commits, in their order.
      await tx.query({ name: "test_gate", text: "LOCK TABLE credentials IN EXCLUSIVE MODE" });
      const change = client.changePassword({ currentPassword: password, newPassword }, user.call);
      await waitFor(() => waiters(1), { what: "the change waits" });
      const signIn = codeOf(client.login({ login: user.username, password }));
      await waitFor(() => waiters(2), { what: "the sign-in waits" });
      return { change, signIn };
    });
    await change;
    // Refused, or, when it came to the row first, ended by the change.
    expect([Status.UNAUTHENTICATED, Status.OK]).toContain(await signIn);
    expect(await liveSessions(user)).toEqual([user.sessionId]);
  });
});
