import { waitFor } from "@chirrup/testkit";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ownEventRedis, type OwnPostgres, ownPostgres, type OwnRedis } from "./own-servers.ts";
import { type RelayProcess, startRelayProcess, whenReady } from "./relay-process.ts";
import {
  type Faults,
  findFaults,
  noFaults,
  outboxRows,
  startWorkload,
  streamEntries,
  streamLength,
} from "./workload.ts";

describe("the relay appends every outbox row exactly once, in order by key", { timeout: 120_000 }, () => {
  let postgres: OwnPostgres;
  let redis: OwnRedis;
  let relay: RelayProcess;
  let sources: Record<string, string>;

  beforeAll(async () => {
    [postgres, redis] = await Promise.all([ownPostgres(), ownEventRedis()]);
    sources = { post: await postgres.createSource("post") };
    relay = await startRelayProcess(sources, redis.url);
    await whenReady(relay);
  });
  afterAll(async () => {
    await relay.kill();
    await Promise.all([postgres.remove(), redis.remove()]);
  });

  /** What is wrong with the streams once they hold as many entries as the outbox rows. */
  async function faults(): Promise<Faults> {
    const rows = await outboxRows(postgres, "post");
    await waitFor(async () => (await streamLength(redis.url)) >= rows.length, {
      timeoutMs: 30_000,
      what: `${rows.length} rows arrive`,
    });
    return findFaults(rows, await streamEntries(redis.url));
  }

  it("when it is killed, again and again, in the middle of 5,000 transactions", async () => {
    const workload = startWorkload(postgres.ownerUrl("post"), "relay", 5_000);
    for (const at of [500, 1_500, 2_500, 3_500, 4_500]) {
      await waitFor(() => workload.committed >= at, { timeoutMs: 60_000 });
      await relay.kill();
      relay = await startRelayProcess(sources, redis.url);
      // Long enough to be at work when it is killed the next time.
      const before = await streamLength(redis.url);
      await waitFor(async () => (await streamLength(redis.url)) > before, { timeoutMs: 30_000 });
    }
    await workload.done;
    expect(workload.committed).toBe(5_000);
    expect(await faults()).toEqual(noFaults);
  });

  it("when it is killed in the middle of one transaction of 60,000 rows", async () => {
    const before = await streamLength(redis.url);
    await postgres.query(
      "post",
      `INSERT INTO outbox (id, topic, key, payload)
       SELECT -i, 'posts', 'huge-' || i % 5, convert_to('huge-' || i % 5 || ':' || i, 'UTF8')
       FROM generate_series(1, 60000) AS i ORDER BY i`,
    );
    for (const share of [1_000, 30_000]) {
      await waitFor(async () => (await streamLength(redis.url)) > before + share, { intervalMs: 1 });
      await relay.kill();
      expect(await streamLength(redis.url)).toBeLessThan(before + 60_000);
      relay = await startRelayProcess(sources, redis.url);
    }
    expect(await faults()).toEqual(noFaults);
  });

  it("when its Redis is killed, and stopped for a while, in the middle", async () => {
    const workload = startWorkload(postgres.ownerUrl("post"), "redis", 3_000);
    await waitFor(() => workload.committed >= 500, { timeoutMs: 60_000 });
    await redis.stop(true);
    await redis.start();
    await waitFor(() => workload.committed >= 1_500, { timeoutMs: 60_000 });
    await redis.stop();
    await waitFor(async () => !(await relay.ready()));
    await workload.done;
    await redis.start();
    expect(await faults()).toEqual(noFaults);
    await whenReady(relay);
  });

  it("when its Postgres is killed, and restarted, in the middle", async () => {
    const workload = startWorkload(postgres.ownerUrl("post"), "postgres", 3_000);
    await waitFor(() => workload.committed >= 500, { timeoutMs: 60_000 });
    await postgres.stop(true);
    await postgres.start();
    await waitFor(() => workload.committed >= 1_500, { timeoutMs: 60_000 });
    await postgres.stop();
    await postgres.start();
    await workload.done;
    expect(await faults()).toEqual(noFaults);
    await whenReady(relay);
  });

  it("when a second relay waits and the first is killed", async () => {
    const second = await startRelayProcess(sources, redis.url);
    await waitFor(async () => (await second.checks())["source post"] === "another relay holds the source");
    const workload = startWorkload(postgres.ownerUrl("post"), "second", 1_000);
    await waitFor(() => workload.committed >= 300, { timeoutMs: 60_000 });
    await relay.kill();
    relay = second;
    await workload.done;
    await whenReady(relay);
    expect(await faults()).toEqual(noFaults);
  });
});
