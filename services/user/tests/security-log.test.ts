import { Status } from "@chirrup/grpc";
import { waitFor } from "@chirrup/testkit";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Service } from "./user-service.ts";
import {
  as,
  codeOf,
  failureOf,
  fieldsOf,
  from,
  password,
  securityLogOf,
  sessionOf,
  signUp,
  startInstance,
  startService,
  testClock,
} from "./user-service.ts";

let service: Service;
beforeAll(async () => {
  service = await startService();
});
afterAll(() => service[Symbol.asyncDispose]());

describe("the security log", () => {
  it("tells what happened to an account, in order, and by whom", async () => {
    const { client, postgres } = service;
    const { userId, username, call, refreshToken } = await signUp(client);
    await failureOf(client.login({ login: username, password: "wrong password" }, from("192.0.2.7")));
    const second = await client.login({ login: username, password }, from("192.0.2.7"));
    await client.endSession({ sessionId: sessionOf(second.accessToken) }, call);
    await failureOf(client.changePassword({ currentPassword: "wrong", newPassword: "a new long one" }, call));
    await client.changePassword({ currentPassword: password, newPassword: "a new long one" }, call);
    const next = await client.refresh({ refreshToken });
    await client.refresh({ refreshToken: next.refreshToken });
    await failureOf(client.refresh({ refreshToken }));
    const third = await client.login({ login: username, password: "a new long one" });
    await client.endAllSessions({}, as(userId, sessionOf(third.accessToken)));
    expect(await securityLogOf(postgres, userId)).toEqual([
      "account_registered",
      "sign_in_failed",
      "signed_in",
      "session_ended",
      "password_confirmation_failed",
      "password_changed",
      "refresh_token_replayed",
      "signed_in",
      "sessions_ended",
    ]);
    const addressOf = () =>
      postgres.query<{ address: string }>({
        name: "test_event_address",
        text: "SELECT DISTINCT address FROM security_events WHERE user_id = $1 AND address <> ''",
        values: [userId],
      });
    expect(await addressOf()).toEqual([{ address: "192.0.2.7" }]);
    const last = await client.login({ login: username, password: "a new long one" });
    await client.deleteMe({}, as(userId, sessionOf(last.accessToken)));
    expect(await addressOf()).toEqual([]);
    expect((await securityLogOf(postgres, userId)).at(-1)).toBe("account_deleted");
  });

  it("is kept 90 days, and of refusals only the newest", async () => {
    const { client, postgres, databaseUrl } = service;
    await signUp(client);
    for (let count = 0; count < 4; count++) {
      await failureOf(client.login({ login: `unknown_${count}`, password }));
    }
    const counts = async () => {
      const [row] = await postgres.query<{ all: bigint; refused: bigint }>({
        name: "test_event_counts",
        text: `SELECT count(*) AS "all", count(*) FILTER (WHERE refused) AS refused FROM security_events`,
      });
      return row;
    };
    const before = await counts();
    expect(before?.refused).toBeGreaterThan(2n);
    {
      await using _ = await startInstance(databaseUrl, { env: { SECURITY_LOG_MAX_REFUSALS: "2" } });
      await waitFor(async () => (await counts())?.refused === 2n, { what: "the purge of refusals" });
    }
    expect((await counts())?.all).toBe((before?.all ?? 0n) - (before?.refused ?? 0n) + 2n);
    const later = testClock();
    later.advance(91 * 86_400_000);
    await using _ = await startInstance(databaseUrl, { now: later.now });
    // What the later instance itself notes is its new signing key.
    await waitFor(async () => ((await counts())?.all ?? 99n) <= 2n, { what: "the purge of the log" });
  });
});

describe("what a name or a password may be", () => {
  it("is neither common nor reserved nor confusable", async () => {
    const { client } = service;
    const fieldsFor = async (wish: { username?: string; password?: string }) =>
      fieldsOf(
        await failureOf(
          client.register({ username: "some_body", email: "some@example.com", password, ...wish }),
        ),
      );
    expect(await fieldsFor({ password: "Password123" })).toEqual(["password"]);
    expect(await fieldsFor({ password: "some_body1999" })).toEqual(["password"]);
    expect(await fieldsFor({ username: "Adm1n" })).toEqual(["username"]);
    await client.register({ username: "Pay_Pal", email: "paypal@example.com", password });
    const error = await failureOf(
      client.register({ username: "Pay_PaI", email: "other@example.com", password }),
    );
    expect([error.code, fieldsOf(error)]).toEqual([Status.ALREADY_EXISTS, ["username"]]);
    // Looking alike is not being the same: it is no way in.
    expect(await codeOf(client.getUserByUsername({ username: "pay_pai" }))).toBe(Status.NOT_FOUND);
  });

  it("is bounded in the database too", async () => {
    const { postgres, client } = service;
    const { userId } = await signUp(client);
    const long = "x".repeat(400);
    for (const [table, column] of [
      ["accounts", "username"],
      ["accounts", "display_name"],
      ["accounts", "bio"],
      ["accounts", "email"],
      ["credentials", "password_hash"],
      ["sessions", "user_agent"],
      ["sessions", "address"],
    ] as const) {
      const key = table === "accounts" ? "id" : "user_id";
      const write = postgres.query({
        name: `test_long_${table}_${column}`,
        text: `UPDATE ${table} SET ${column} = $2 WHERE ${key} = $1`,
        values: [userId, long],
      });
      await expect(write, `${table}.${column}`).rejects.toMatchObject({ code: "23514" });
    }
  });
});
