import { Status } from "@chirrup/grpc";
import { openPostgres } from "@chirrup/platform";
import { testLog, testPostgres, waitFor } from "@chirrup/testkit";
import { timestampMs } from "@bufbuild/protobuf/wkt";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { insertRevocations } from "../src/store/revocation.ts";
import type { Instance, Service } from "./user-service.ts";
import { codeOf, password, sessionOf, signUp, startInstance, startService } from "./user-service.ts";

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

interface Message {
  readonly sessionIds: readonly bigint[];
  readonly revision: bigint;
  readonly caughtUp: boolean;
  readonly atMs: number;
}

/** A gateway's end of the stream. */
interface Watch extends AsyncDisposable {
  readonly messages: readonly Message[];
  sessionIds(): bigint[];
  /** The code that the stream ended with. */
  readonly ended: Promise<Status>;
}

function watch(client: Instance["client"], afterRevision = 0n): Watch {
  const messages: Message[] = [];
  const leaving = new AbortController();
  const read = async () => {
    for await (const message of client.watchRevocations({ afterRevision }, { signal: leaving.signal })) {
      messages.push({
        sessionIds: message.revoked.map(({ sessionId }) => sessionId),
        revision: message.revision,
        caughtUp: message.caughtUp,
        atMs: performance.now(),
      });
    }
  };
  const ended = codeOf(read());
  return {
    messages,
    sessionIds: () => messages.flatMap(({ sessionIds }) => sessionIds),
    ended,
    async [Symbol.asyncDispose]() {
      leaving.abort();
      await ended;
    },
  };
}

async function caughtUp(stream: Watch): Promise<bigint> {
  const message = await waitFor(() => stream.messages.find((found) => found.caughtUp), {
    what: "the snapshot",
  });
  return message.revision;
}

describe("WatchRevocations", () => {
  it("sends what was revoked before, then what is revoked on any instance", async () => {
    const [before, after] = [await signUp(service.client), await signUp(service.client)];
    await service.client.logout({}, before.call);
    await using stream = watch(service.client);
    await caughtUp(stream);
    expect(stream.sessionIds()).toContain(before.sessionId);
    await other.client.logout({}, after.call);
    const loggedOutMs = performance.now();
    const message = await waitFor(() =>
      stream.messages.find(({ sessionIds }) => sessionIds.includes(after.sessionId)),
    );
    expect(message.atMs - loggedOutMs).toBeLessThan(1_000);
  });

  it("goes on from a revision, and starts anew from one of the future", async () => {
    const [first, second] = [await signUp(service.client), await signUp(service.client)];
    await service.client.logout({}, first.call);
    await using stream = watch(service.client);
    const revision = await caughtUp(stream);
    await service.client.logout({}, second.call);
    await using resumed = watch(other.client, revision);
    await caughtUp(resumed);
    expect(resumed.sessionIds()).toEqual([second.sessionId]);
    await using lost = watch(other.client, revision + 1_000_000n);
    await caughtUp(lost);
    expect(lost.sessionIds()).toEqual([...(stream.messages[0]?.sessionIds ?? []), second.sessionId]);
    expect(await codeOf(drain(service.client.watchRevocations({ afterRevision: -1n })))).toBe(
      Status.INVALID_ARGUMENT,
    );
  });

  it("beats at least every 250 ms while nothing happens", async () => {
    await using stream = watch(service.client);
    await caughtUp(stream);
    const start = stream.messages.length;
    await waitFor(() => stream.messages.length >= start + 8, { what: "eight beats" });
    const times = stream.messages.slice(start).map(({ atMs }) => atMs);
    const gaps = times.slice(1).map((atMs, index) => atMs - (times[index] ?? 0));
    expect(gaps.toSorted((a, b) => a - b)[3]).toBeLessThan(260);
  });

  it("misses nothing when one transaction is slower than the next", async () => {
    const { client, postgres } = service;
    const { sessionId, call } = await signUp(client);
    await using stream = watch(client);
    const revision = await caughtUp(stream);
    const slow = 4_242n;
    const { logout } = await postgres.transaction(async (tx) => {
      await insertRevocations(tx, [slow], new Date(Date.now() + 600_000));
      const logout = client.logout({}, call);
      const beats = stream.messages.length + 3;
      await waitFor(() => stream.messages.length >= beats, { what: "three beats" });
      return { logout };
    });
    await logout;
    const news = await waitFor(() => {
      const found = stream.messages.filter((message) => message.revision > revision);
      return found.flatMap(({ sessionIds }) => sessionIds).includes(sessionId) && found;
    });
    expect(news.flatMap(({ sessionIds }) => sessionIds)).toEqual([slow, sessionId]);
    expect(news.at(-1)?.revision).toBe(revision + 2n);
  });

  it("sends each of many at once, on two instances, to every stream once", async () => {
    const user = await signUp(service.client);
    const logins = Array.from({ length: 40 }, () => service.client.login({ login: user.username, password }));
    const answers = await Promise.all(logins);
    await using one = watch(service.client);
    await using two = watch(other.client);
    const revision = await caughtUp(one);
    await caughtUp(two);
    await Promise.all(
      answers.map(({ refreshToken }, index) =>
        (index % 2 === 0 ? service : other).client.logout({ refreshToken }),
      ),
    );
    const wanted = new Set(answers.map(({ accessToken }) => sessionOf(accessToken)));
    for (const stream of [one, two]) {
      await waitFor(() => stream.messages.at(-1)?.revision === revision + 40n, { what: "all revisions" });
      const news = stream.messages.filter((message) => message.revision > revision);
      const sent = news.flatMap(({ sessionIds }) => sessionIds);
      expect(sent).toHaveLength(40);
      expect(new Set(sent)).toEqual(wanted);
    }
  });

  it("leaves out, in the end, what no access token can be left of", async () => {
    await using distant = await startService();
    const { client, clock } = distant;
    const { sessionId, call } = await signUp(client);
    await client.logout({}, call);
    const [revoked] = await firstRevoked(client);
    expect(revoked?.sessionId).toBe(sessionId);
    const forgetMs = revoked?.forgetAt === undefined ? 0 : timestampMs(revoked.forgetAt);
    expect(forgetMs - clock.now().getTime()).toBeGreaterThan(600_000);
    clock.advance(forgetMs - clock.now().getTime() + 1);
    expect(await firstRevoked(client)).toEqual([]);
  });

  it("is silent while Postgres is away and sends what it missed after", async () => {
    await using lonely = await startService();
    const { client } = lonely;
    const { sessionId, call } = await signUp(client);
    await using stream = watch(client);
    await caughtUp(stream);
    const database = new URL(lonely.databaseUrl).pathname.slice(1);
    const { superuserUrl } = await testPostgres();
    const superuser = openPostgres({ url: superuserUrl, applicationName: "test", log: testLog() });
    const setAllowed = (allowed: boolean) =>
      superuser.query({
        name: `test_allow_${allowed}`,
        text: `ALTER DATABASE ${database} ALLOW_CONNECTIONS ${allowed}`,
      });
    try {
      await setAllowed(false);
      await superuser.query({
        name: "test_terminate",
        text: "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1",
        values: [database],
      });
      const quietSinceMs = performance.now();
      await waitFor(() => performance.now() - (stream.messages.at(-1)?.atMs ?? 0) > 1_000, {
        what: "a second of silence",
      });
      expect(stream.messages.at(-1)?.atMs).toBeLessThan(quietSinceMs + 500);
      await setAllowed(true);
      await waitFor(async () => (await codeOf(client.logout({}, call))) === Status.OK, { what: "a logout" });
      await waitFor(() => stream.sessionIds().includes(sessionId), { what: "the revocation" });
    } finally {
      await superuser.close();
    }
  });

  it("ends when the service stops, so that the gateway goes to another", async () => {
    const leaving = await startInstance(service.databaseUrl);
    await using stream = watch(leaving.client);
    await caughtUp(stream);
    const stopped = leaving[Symbol.asyncDispose]();
    expect([Status.UNAVAILABLE, Status.CANCELLED]).toContain(await stream.ended);
    await stopped;
  });
});

describe("CheckSession", () => {
  it("knows live sessions from others at once, on every instance", async () => {
    const { sessionId, call } = await signUp(service.client);
    expect(await other.client.checkSession({ sessionId })).toMatchObject({ live: true });
    await service.client.logout({}, call);
    expect(await other.client.checkSession({ sessionId })).toMatchObject({ live: false });
    expect(await other.client.checkSession({ sessionId: 1n })).toMatchObject({ live: false });
  });
});

async function firstRevoked(client: Instance["client"]) {
  for await (const { revoked } of client.watchRevocations({})) return revoked;
  return [];
}

async function drain(stream: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of stream);
}
