import { Status } from "@chirrup/grpc";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Instance, Service } from "./user-service.ts";
import { codeOf, sessionOf, signUp, startInstance, startService } from "./user-service.ts";

const daysMs = 86_400_000;

let service: Service;
let other: Instance;
beforeAll(async () => {
  service = await startService();
  other = await startInstance(service.databaseUrl, { now: service.clock.now });
});
afterAll(async () => {
  await other[Symbol.asyncDispose]();
  await service[Symbol.asyncDispose]();
});

async function isLive(sessionId: bigint): Promise<boolean> {
  return (await service.client.checkSession({ sessionId })).live;
}

async function endReason(sessionId: bigint): Promise<string | null | undefined> {
  const [row] = await service.postgres.query<{ reason: string | null }>({
    name: "test_end_reason",
    text: "SELECT end_reason AS reason FROM sessions WHERE id = $1",
    values: [sessionId],
  });
  return row?.reason;
}

describe("Refresh", () => {
  it("goes on with the same session, token after token", async () => {
    const { client } = service;
    const { sessionId, refreshToken: first } = await signUp(client);
    const second = await client.refresh({ refreshToken: first });
    const third = await client.refresh({ refreshToken: second.refreshToken });
    expect(new Set([first, second.refreshToken, third.refreshToken]).size).toBe(3);
    expect(third.refreshToken).toMatch(/^[A-Za-z0-9_-]{43}$/);
    expect(sessionOf(third.accessToken)).toBe(sessionId);
    expect(third.expiresIn).toBe(600);
  });

  it("refuses what is no token, an unknown one and none", async () => {
    for (const refreshToken of ["", "junk", "A".repeat(43), "\0"]) {
      expect(await codeOf(service.client.refresh({ refreshToken }))).toBe(Status.UNAUTHENTICATED);
    }
  });

  it("gives a hundred at once, on two instances, one successor", async () => {
    const { sessionId, refreshToken } = await signUp(service.client);
    const clients = [service.client, other.client];
    const answers = await Promise.all(
      Array.from({ length: 50 }, () => clients.map((client) => client.refresh({ refreshToken }))).flat(),
    );
    expect(new Set(answers.map((answer) => answer.refreshToken)).size).toBe(1);
    expect(new Set(answers.map((answer) => sessionOf(answer.accessToken)))).toEqual(new Set([sessionId]));
    expect(await isLive(sessionId)).toBe(true);
    const [row] = await service.postgres.query<{ tokens: bigint }>({
      name: "test_tokens",
      text: "SELECT count(*) AS tokens FROM refresh_tokens WHERE session_id = $1",
      values: [sessionId],
    });
    expect(row?.tokens).toBe(2n);
  });

  it("repeats itself within the grace and ends the session after it", async () => {
    const { client, clock } = service;
    const { sessionId, refreshToken } = await signUp(client);
    const { refreshToken: successor } = await client.refresh({ refreshToken });
    clock.advance(9_000);
    expect((await client.refresh({ refreshToken })).refreshToken).toBe(successor);
    clock.advance(2_000);
    expect(await codeOf(client.refresh({ refreshToken }))).toBe(Status.UNAUTHENTICATED);
    expect(await isLive(sessionId)).toBe(false);
    expect(await endReason(sessionId)).toBe("refresh_token_replayed");
    expect(await codeOf(client.refresh({ refreshToken: successor }))).toBe(Status.UNAUTHENTICATED);
  });

  it("ends the session, however soon, once the successor was used", async () => {
    const { client } = service;
    const { sessionId, refreshToken } = await signUp(client);
    const { refreshToken: second } = await client.refresh({ refreshToken });
    const { refreshToken: third } = await client.refresh({ refreshToken: second });
    expect(await codeOf(client.refresh({ refreshToken }))).toBe(Status.UNAUTHENTICATED);
    expect(await isLive(sessionId)).toBe(false);
    expect(await codeOf(client.refresh({ refreshToken: third }))).toBe(Status.UNAUTHENTICATED);
  });

  it("lets the session slide by thirty days up to ninety", async () => {
    // Of its own, for it leaves the clock far from the one that ids are made by.
    await using distant = await startService();
    const { client, clock } = distant;
    const isLiveThere = async (sessionId: bigint) => (await client.checkSession({ sessionId })).live;
    const [used, idle] = [await signUp(client), await signUp(client)];
    let token = used.refreshToken;
    for (let month = 1; month <= 3; month++) {
      clock.advance(29.9 * daysMs);
      ({ refreshToken: token } = await client.refresh({ refreshToken: token }));
    }
    expect(await isLiveThere(used.sessionId)).toBe(true);
    expect(await isLiveThere(idle.sessionId)).toBe(false);
    expect(await codeOf(client.refresh({ refreshToken: idle.refreshToken }))).toBe(Status.UNAUTHENTICATED);
    clock.advance(0.4 * daysMs);
    expect(await isLiveThere(used.sessionId)).toBe(false);
    expect(await codeOf(client.refresh({ refreshToken: token }))).toBe(Status.UNAUTHENTICATED);
  });
});

describe("Logout", () => {
  it("ends the session of the refresh token, current or older, and again is a success", async () => {
    const { client } = service;
    const { sessionId, refreshToken } = await signUp(client);
    const { refreshToken: successor } = await client.refresh({ refreshToken });
    await client.logout({ refreshToken });
    expect(await isLive(sessionId)).toBe(false);
    expect(await endReason(sessionId)).toBe("logout");
    expect(await codeOf(client.refresh({ refreshToken: successor }))).toBe(Status.UNAUTHENTICATED);
    expect(await codeOf(client.logout({ refreshToken: successor }))).toBe(Status.OK);
  });

  it("believes the refresh token before the access token", async () => {
    const { client } = service;
    const [one, two] = [await signUp(client), await signUp(client)];
    await client.logout({ refreshToken: one.refreshToken }, two.call);
    expect([await isLive(one.sessionId), await isLive(two.sessionId)]).toEqual([false, true]);
  });

  it("ends the session of the access token when there is no refresh token, or a bad one", async () => {
    const { client } = service;
    for (const refreshToken of ["", "junk", "B".repeat(43)]) {
      const { sessionId, call } = await signUp(client);
      await client.logout({ refreshToken }, call);
      expect(await isLive(sessionId)).toBe(false);
      expect(await codeOf(client.logout({ refreshToken }))).toBe(Status.UNAUTHENTICATED);
    }
  });

  it("leaves no live token when it meets refreshes", async () => {
    for (let round = 0; round < 10; round++) {
      const { sessionId, refreshToken } = await signUp(service.client);
      const answers: string[] = [];
      const attempt = async (client: Instance["client"]) => {
        const answer = await client.refresh({ refreshToken }).catch(() => undefined);
        if (answer !== undefined) answers.push(answer.refreshToken);
      };
      await Promise.all([
        attempt(service.client),
        attempt(other.client),
        service.client.logout({ refreshToken }),
        attempt(service.client),
        attempt(other.client),
      ]);
      expect(await isLive(sessionId)).toBe(false);
      for (const token of [refreshToken, ...answers]) {
        expect(await codeOf(service.client.refresh({ refreshToken: token }))).toBe(Status.UNAUTHENTICATED);
      }
    }
  });
});
