import { GrpcError, Status } from "@chirrup/grpc";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Instance, Service } from "./user-service.ts";
import { codeOf, password, sessionOf, signUp, startInstance, startService } from "./user-service.ts";

/** In CI a few; `RACE_ROUNDS=1000 npx vitest run services/user/tests/races.test.ts` is the long form. */
const rounds = Number(process.env["RACE_ROUNDS"] ?? 5);
const timeoutMs = 30_000 + rounds * 2_000;
/** On a machine that others use, a call may take longer than a client waits by itself. */
const patiently = { timeoutMs: 60_000 };

let service: Service;
let other: Instance;
let clients: readonly Instance["client"][];
beforeAll(async () => {
  service = await startService();
  other = await startInstance(service.databaseUrl, { now: service.clock.now });
  clients = [service.client, other.client];
});
afterAll(async () => {
  await other[Symbol.asyncDispose]();
  await service[Symbol.asyncDispose]();
});

/** One person; each round signs in anew, so that no round waits for another account. */
async function person(): Promise<() => Promise<{ sessionId: bigint; refreshToken: string }>> {
  const { username } = await signUp(service.client);
  return async () => {
    const signIn = { login: username, password };
    const { accessToken, refreshToken } = await service.client.login(signIn, patiently);
    return { sessionId: sessionOf(accessToken), refreshToken };
  };
}

const isLive = async (sessionId: bigint): Promise<boolean> =>
  (await service.client.checkSession({ sessionId })).live;

/** The answer; undefined for a call that a busy machine turned away, which changed nothing. */
async function refreshed(
  client: Instance["client"] | undefined,
  refreshToken: string,
): Promise<{ accessToken: string; refreshToken: string } | undefined> {
  try {
    return await client?.refresh({ refreshToken }, patiently);
  } catch (error) {
    if (error instanceof GrpcError && error.code === Status.UNAVAILABLE) return undefined;
    throw error;
  }
}

/** Every token that a session ever had, tried again: how many still refresh. */
async function stillGood(tokens: readonly string[]): Promise<number> {
  const codes = await Promise.all(
    tokens.map((refreshToken) => codeOf(service.client.refresh({ refreshToken }))),
  );
  return codes.filter((code) => code === Status.OK).length;
}

describe(`in ${rounds} rounds`, () => {
  it("a hundred refreshes at once with one token give one live family", { timeout: timeoutMs }, async () => {
    const signIn = await person();
    for (let round = 0; round < rounds; round++) {
      const { sessionId, refreshToken } = await signIn();
      const refreshes = Array.from({ length: 100 }, (_, index) =>
        refreshed(clients[index % 2], refreshToken),
      );
      const answers = (await Promise.all(refreshes)).filter((answer) => answer !== undefined);
      expect(new Set(answers.map((answer) => answer.refreshToken)).size).toBe(1);
      expect(new Set(answers.map((answer) => sessionOf(answer.accessToken)))).toEqual(new Set([sessionId]));
      expect(await isLive(sessionId)).toBe(true);
    }
  });

  it(
    "a stolen token replayed after its successor was used ends the family",
    { timeout: timeoutMs },
    async () => {
      const signIn = await person();
      for (let round = 0; round < rounds; round++) {
        const { sessionId, refreshToken } = await signIn();
        const { refreshToken: second } = await service.client.refresh({ refreshToken });
        // The owner goes on, and the thief comes a moment before, at once, or after.
        const ownerGoesOn = clients[round % 2]?.refresh({ refreshToken: second });
        const thief = round % 3 === 0 ? ownerGoesOn?.then(() => undefined) : Promise.resolve();
        await thief;
        const replay = await codeOf(other.client.refresh({ refreshToken }));
        const third = await ownerGoesOn?.catch(() => undefined);
        // When the replay came first it got the successor again, as a lost answer would; the next use tells.
        const family = [refreshToken, second, ...(third === undefined ? [] : [third.refreshToken])];
        await codeOf(service.client.refresh({ refreshToken }));
        expect([Status.OK, Status.UNAUTHENTICATED]).toContain(replay);
        expect(await isLive(sessionId)).toBe(false);
        expect(await stillGood(family)).toBe(0);
      }
    },
  );

  it("a logout during refreshes leaves no live token", { timeout: timeoutMs }, async () => {
    const signIn = await person();
    for (let round = 0; round < rounds; round++) {
      const { sessionId, refreshToken } = await signIn();
      const tokens = [refreshToken];
      const attempt = async (client: Instance["client"] | undefined): Promise<void> => {
        const answer = await client?.refresh({ refreshToken }).catch(() => undefined);
        if (answer !== undefined) tokens.push(answer.refreshToken);
      };
      const refreshes = Array.from({ length: 6 }, (_, index) => () => attempt(clients[index % 2]));
      const logout = async (): Promise<void> => {
        await other.client.logout({ refreshToken });
      };
      const calls = refreshes.toSpliced(round % 7, 0, logout);
      await Promise.all(calls.map((start) => start()));
      expect(await isLive(sessionId)).toBe(false);
      expect(await stillGood(tokens)).toBe(0);
    }
  });
});
