import { idTimeMs } from "@chirrup/platform";
import { Status } from "@chirrup/grpc";
import { timestampMs } from "@bufbuild/protobuf/wkt";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Service } from "./user-service.ts";
import {
  as,
  codeOf,
  eventsOf,
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

describe("Register", () => {
  it("makes the account, announces it and signs it in", async () => {
    const { client, postgres } = service;
    const answer = await client.register({ username: "Ada_L", email: " Ada@Example.COM ", password });
    expect(answer.user).toMatchObject({
      username: "Ada_L",
      displayName: "Ada_L",
      bio: "",
      email: "ada@example.com",
    });
    expect(answer.expiresIn).toBe(600);
    const id = answer.user?.id ?? 0n;
    expect(answer.user?.createdAt && timestampMs(answer.user.createdAt)).toBe(idTimeMs(id));
    expect(await eventsOf(postgres, id)).toEqual(["userRegistered"]);
  });

  it("names every wrong field at once", async () => {
    const error = await failureOf(
      service.client.register({ username: "a b", email: "nobody", password: "short" }),
    );
    expect(error.code).toBe(Status.INVALID_ARGUMENT);
    expect(fieldsOf(error)).toEqual(["username", "email", "password"]);
  });

  it("names what is taken, without regard to case", async () => {
    const { client } = service;
    const { username, email } = await signUp(client);
    const free = { username: "free_name", email: "free@example.com", password };
    const upper = { username: username.toUpperCase(), email: email.toUpperCase() };
    const fieldsTaken = async (wish: Partial<typeof free>) => {
      const error = await failureOf(client.register({ ...free, ...wish }));
      expect(error.code).toBe(Status.ALREADY_EXISTS);
      return fieldsOf(error);
    };
    expect(await fieldsTaken({ username: upper.username })).toEqual(["username"]);
    expect(await fieldsTaken({ email: upper.email })).toEqual(["email"]);
    expect(await fieldsTaken(upper)).toEqual(["username", "email"]);
  });

  it("gives a name that many want at once to one of them", async () => {
    const wishes = Array.from({ length: 12 }, (_, index) =>
      codeOf(service.client.register({ username: "wanted", email: `w${index}@example.com`, password })),
    );
    const codes = await Promise.all(wishes);
    expect(codes.filter((code) => code === Status.OK)).toHaveLength(1);
    expect(codes.filter((code) => code === Status.ALREADY_EXISTS)).toHaveLength(11);
  });
});

describe("UpdateMe", () => {
  it("changes the fields that are present and announces it", async () => {
    const { client, postgres } = service;
    const { userId, username, call } = await signUp(client);
    const changed = await client.updateMe({ displayName: "  Zoe\u0308  " }, call);
    expect(changed.user).toMatchObject({ username, displayName: "Zo\u00eb", bio: "" });
    const again = await client.updateMe({ bio: "hello" }, call);
    expect(again.user).toMatchObject({ displayName: "Zo\u00eb", bio: "hello" });
    expect((await client.getMe({}, call)).user).toEqual(again.user);
    expect((await client.updateMe({ bio: "" }, call)).user?.bio).toBe("");
    await client.updateMe({}, call);
    expect(await eventsOf(postgres, userId)).toEqual([
      "userRegistered",
      "userUpdated",
      "userUpdated",
      "userUpdated",
    ]);
  });

  it("does once what comes twice with one key", async () => {
    const { client, postgres } = service;
    const { userId, sessionId } = await signUp(client);
    const call = as(userId, sessionId, "key-1");
    const first = await client.updateMe({ bio: "once" }, call);
    expect(await client.updateMe({ bio: "once" }, call)).toEqual(first);
    expect(await codeOf(client.updateMe({ bio: "other" }, call))).toBe(Status.INVALID_ARGUMENT);
    expect(await eventsOf(postgres, userId)).toEqual(["userRegistered", "userUpdated"]);
  });

  it("names every wrong field", async () => {
    const { call } = await signUp(service.client);
    const error = await failureOf(
      service.client.updateMe({ displayName: "\u200b", bio: "b".repeat(161) }, call),
    );
    expect(fieldsOf(error)).toEqual(["displayName", "bio"]);
  });
});

describe("DeleteMe", () => {
  it("takes a sign-in or the password within five minutes, in this session", async () => {
    const { client, clock } = service;
    const { userId, username, call } = await signUp(client);
    const asked = async (attempt: Promise<unknown>) => infoOf(await failureOf(attempt))?.reason;
    clock.advance(301_000);
    expect(await asked(client.deleteMe({}, call))).toBe("PASSWORD_REQUIRED");
    expect(await codeOf(client.showPassword({ password: "not the password" }, call))).toBe(
      Status.PERMISSION_DENIED,
    );
    expect(await asked(client.deleteMe({}, call))).toBe("PASSWORD_REQUIRED");
    // Shown in another session, by whoever has it, it is not shown in this one.
    const { accessToken } = await client.login({ login: username, password });
    expect(await asked(client.deleteMe({}, call))).toBe("PASSWORD_REQUIRED");
    clock.advance(301_000);
    await client.showPassword({ password }, call);
    expect(await asked(client.deleteMe({}, as(userId, sessionOf(accessToken))))).toBe("PASSWORD_REQUIRED");
    expect(await codeOf(client.deleteMe({}, call))).toBe(Status.OK);
  });

  it("empties the account, frees its names and refuses what is left of its tokens", async () => {
    const { client, postgres } = service;
    const { userId, sessionId, username, email, refreshToken, call } = await signUp(client);
    await client.updateMe({ bio: "personal" }, call);
    await client.deleteMe({}, call);

    const [row] = await postgres.query<Record<string, unknown>>({
      name: "test_remains",
      text: `SELECT username, email, display_name, bio, deleted_at IS NOT NULL AS deleted,
               (SELECT count(*) FROM credentials WHERE user_id = $1) AS credentials,
               (SELECT array_agg(end_reason || user_agent || address) FROM sessions WHERE user_id = $1) AS sessions
             FROM accounts WHERE id = $1`,
      values: [userId],
    });
    expect(row).toEqual({
      username: null,
      email: null,
      display_name: "",
      bio: "",
      deleted: true,
      credentials: 0n,
      sessions: ["account_deleted"],
    });
    expect(await eventsOf(postgres, userId)).toEqual(["userRegistered", "userUpdated", "userDeleted"]);
    expect(await client.checkSession({ sessionId })).toMatchObject({ live: false });

    const attempts = [
      client.getMe({}, call),
      client.updateMe({ bio: "again" }, call),
      client.updateMe({}, call),
      client.deleteMe({}, call),
      client.changePassword({ currentPassword: password, newPassword: password }, call),
      client.listSessions({}, call),
      client.endSession({ sessionId }, call),
      client.endAllSessions({}, call),
      client.refresh({ refreshToken }),
      client.login({ login: username, password }),
      client.login({ login: email, password }),
    ];
    const codes = await Promise.all(attempts.map(codeOf));
    expect(codes).toEqual(codes.map(() => Status.UNAUTHENTICATED));
    expect(await codeOf(client.getUser({ userId }))).toBe(Status.NOT_FOUND);
    expect(await codeOf(client.getUserByUsername({ username }))).toBe(Status.NOT_FOUND);
    expect((await client.batchGetUsers({ ids: [userId] })).users).toEqual([]);
    expect(await codeOf(client.register({ username, email, password }))).toBe(Status.OK);
  });
});

describe("reading users", () => {
  it("needs a caller for one's own account only", async () => {
    const { client } = service;
    const { userId, username } = await signUp(client);
    expect(await codeOf(client.getMe({}))).toBe(Status.UNAUTHENTICATED);
    expect((await client.getUser({ userId })).user).toMatchObject({ id: userId, username });
    expect((await client.getUserByUsername({ username: username.toUpperCase() })).user?.id).toBe(userId);
  });

  it("tells what is nobody's from what is no id or name", async () => {
    const { client } = service;
    expect(await codeOf(client.getUser({ userId: 12345n }))).toBe(Status.NOT_FOUND);
    expect(fieldsOf(await failureOf(client.getUser({ userId: 0n })))).toEqual(["userId"]);
    expect(await codeOf(client.getUserByUsername({ username: "nobody_at_all" }))).toBe(Status.NOT_FOUND);
    expect(fieldsOf(await failureOf(client.getUserByUsername({ username: "no\0body" })))).toEqual([
      "username",
    ]);
  });

  it("keeps the order of a batch, each once, without those that are not there", async () => {
    const { client } = service;
    const [a, b] = [await signUp(client), await signUp(client)];
    const { users } = await client.batchGetUsers({ ids: [b.userId, 777n, a.userId, b.userId] });
    expect(users.map(({ id }) => id)).toEqual([b.userId, a.userId]);
    const most = Array.from({ length: 100 }, (_, index) => BigInt(index + 1));
    expect(await codeOf(client.batchGetUsers({ ids: most }))).toBe(Status.OK);
    for (const ids of [[], [...most, 101n], [-1n]]) {
      expect(fieldsOf(await failureOf(client.batchGetUsers({ ids })))).toEqual(["ids"]);
    }
  });
});
