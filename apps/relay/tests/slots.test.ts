import { waitFor } from "@chirrup/testkit";
import { Redis } from "ioredis";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { ownEventRedis, type OwnPostgres, ownPostgres, type OwnRedis } from "./own-servers.ts";
import { type RelayProcess, startRelayProcess, whenReady } from "./relay-process.ts";
import { streamEntries, streamLength } from "./workload.ts";

describe("slots", { timeout: 60_000 }, () => {
  let postgres: OwnPostgres;
  let redis: OwnRedis;
  let relays: RelayProcess[] = [];

  beforeAll(async () => {
    [postgres, redis] = await Promise.all([ownPostgres(), ownEventRedis()]);
  });
  afterEach(async () => {
    await Promise.all(relays.map((relay) => relay.kill()));
    relays = [];
    const client = new Redis(redis.url);
    await client.flushall();
    client.disconnect();
  });
  afterAll(() => Promise.all([postgres.remove(), redis.remove()]));

  async function startRelay(sources: Record<string, string>): Promise<RelayProcess> {
    const relay = await startRelayProcess(sources, redis.url);
    relays.push(relay);
    await whenReady(relay);
    return relay;
  }
  let nextId = 1;
  const insert = async (database: string, text: string): Promise<void> => {
    await postgres.query(
      database,
      "INSERT INTO outbox (id, topic, key, payload) VALUES ($1, 'posts', 'k', convert_to($2, 'UTF8'))",
      [nextId++, text],
    );
  };
  const lagBytes = async (source: string): Promise<number> => {
    const [row] = await postgres.query<{ bytes: string }>(
      "postgres",
      `SELECT pg_current_wal_lsn() - confirmed_flush_lsn AS bytes FROM pg_replication_slots
       WHERE slot_name = 'chirrup_${source}'`,
    );
    return Number(row?.bytes);
  };

  it("replays what was written before there was a slot", async () => {
    const url = await postgres.createSource("early");
    await insert("early", "before");
    await startRelay({ early: url });
    await insert("early", "after");
    await waitFor(async () => (await streamLength(redis.url)) === 2);
    expect(await streamEntries(redis.url)).toEqual(["before", "after"]);
  });

  it("needs no more than REPLICATION, LOGIN and CONNECT to stream, and says what it cannot do", async () => {
    const url = await postgres.createSource("bare");
    await postgres.query("bare", "REVOKE SELECT ON outbox FROM relay");
    await insert("bare", "before");
    const relay = await startRelay({ bare: url });
    await insert("bare", "after");
    await waitFor(async () => (await streamLength(redis.url)) === 1);
    expect(await streamEntries(redis.url)).toEqual(["after"]);
    expect(relay.log()).toContain("GRANT SELECT ON outbox");
  });

  it("replays the outbox when the slot, or the memory of Redis, is gone", async () => {
    const url = await postgres.createSource("gone");
    const first = await startRelay({ gone: url });
    await insert("gone", "one");
    await waitFor(async () => (await streamLength(redis.url)) === 1);
    await first.stop();
    await postgres.query("gone", "SELECT pg_drop_replication_slot('chirrup_gone')");
    await insert("gone", "two");
    const second = await startRelay({ gone: url });
    await waitFor(async () => (await streamLength(redis.url)) === 3);
    expect(await streamEntries(redis.url)).toEqual(["one", "one", "two"]);
    expect(second.log()).toContain("there was no slot");

    // While it streams: it finds out when it appends the next time.
    const client = new Redis(redis.url);
    await client.flushall();
    client.disconnect();
    await insert("gone", "three");
    await waitFor(async () => (await streamLength(redis.url)) >= 3);
    await whenReady(second);
    expect(await streamEntries(redis.url)).toEqual(["one", "two", "three"]);
  });

  it("replays when Redis was brought back from an older state", async () => {
    const url = await postgres.createSource("older");
    const first = await startRelay({ older: url });
    await insert("older", "one");
    await waitFor(async () => (await streamLength(redis.url)) === 1);
    const client = new Redis(redis.url);
    const before = await client.hget("events:source:older", "position");
    await insert("older", "two");
    await waitFor(async () => (await streamLength(redis.url)) === 2);
    await first.stop();
    await client.hset("events:source:older", "position", before ?? "");
    client.disconnect();
    const second = await startRelay({ older: url });
    await waitFor(async () => (await streamLength(redis.url)) === 4);
    expect(second.log()).toContain("the event Redis has lost events");
  });

  it("lets an idle source's slot follow the server, and the server stop without waiting", async () => {
    const [idle, busy] = [await postgres.createSource("idle"), await postgres.createSource("busy")];
    const relay = await startRelay({ idle, busy });
    await postgres.query(
      "postgres",
      "CREATE TABLE filler AS SELECT repeat('x', 1000) FROM generate_series(1, 5000)",
    );
    expect(await lagBytes("idle")).toBeGreaterThan(5_000_000);
    await waitFor(async () => (await lagBytes("idle")) < 100_000, {
      timeoutMs: 20_000,
      what: "the slot follows",
    });
    expect(await relay.metrics()).toMatch(/chirrup_relay_lag_bytes\{source="idle",service="relay"\} \d+/);

    await postgres.query(
      "postgres",
      "CREATE TABLE filler2 AS SELECT repeat('x', 1000) FROM generate_series(1, 5000)",
    );
    const startedAt = performance.now();
    await postgres.stop();
    expect(performance.now() - startedAt).toBeLessThan(5_000);
    await postgres.start();
    await whenReady(relay);
    await insert("idle", "after");
    await waitFor(async () => (await streamLength(redis.url)) === 1);
    expect(await relay.stop()).toMatchObject({ code: 0 });
  });

  it("waits for a database that is not migrated yet", async () => {
    await postgres.query("postgres", "CREATE DATABASE late");
    const url = postgres.ownerUrl("late").replace(/\/\/.*@/, "//relay:relay@");
    const relay = await startRelayProcess({ late: url }, redis.url);
    relays.push(relay);
    await waitFor(
      async () => (await relay.checks())["source late"] === "there is no publication chirrup_outbox yet",
    );
    expect(await relay.ready()).toBe(false);
  });
});
