import { Status } from "@chirrup/grpc";
import { waitFor } from "@chirrup/testkit";
import { expect, it } from "vitest";
import { codeOf, signUp, startInstance, startService, testClock } from "./user-service.ts";

const dayMs = 86_400_000;

it("removes sessions a month after their end, their tokens, and revocations that are forgotten", async () => {
  await using service = await startService();
  const { client, postgres, databaseUrl } = service;
  const [ended, kept] = [await signUp(client), await signUp(client)];
  await client.logout({}, ended.call);
  const count = async () => {
    const [row] = await postgres.query<Record<string, bigint>>({
      name: "test_counts",
      text: `SELECT (SELECT count(*) FROM sessions) AS sessions,
               (SELECT count(*) FROM refresh_tokens) AS tokens,
               (SELECT count(*) FROM revocations) AS revocations`,
    });
    return row;
  };
  expect(await count()).toEqual({ sessions: 2n, tokens: 2n, revocations: 1n });

  const later = testClock();
  later.advance(31 * dayMs);
  await using _ = await startInstance(databaseUrl, { now: later.now });
  await waitFor(async () => (await count())?.["revocations"] === 0n, { what: "the purge" });
  // The other's month began when it expired, a month after its sign-in.
  expect(await count()).toEqual({ sessions: 1n, tokens: 1n, revocations: 0n });
  expect(await codeOf(client.refresh({ refreshToken: kept.refreshToken }))).toBe(Status.OK);
});
