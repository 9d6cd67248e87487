import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type EventLog, partitionOf, streamKeys } from "@chirrup/platform";
import { freePort, startRedis } from "@chirrup/servers";
import { testRedis, waitFor } from "@chirrup/testkit";
import { Redis } from "ioredis";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Carrier, firstFault, numbered, numberedRecords } from "./carrier.ts";
import { eventLogContract } from "./event-log-contract.ts";
import { redisCarrier } from "./redis-carrier.ts";
import { openLog } from "./log-module.ts";

eventLogContract("Redis Streams", async () => redisCarrier((await testRedis()).url));

describe("Redis Streams", { timeout: 60_000 }, () => {
  let carrier: Carrier;
  let redis: Redis;
  let log: EventLog;
  beforeEach(async () => {
    carrier = redisCarrier((await testRedis()).url);
    redis = new Redis(carrier.url);
    log = carrier.openLog();
  });
  afterEach(async () => {
    await log.close();
    await carrier.close();
    redis.disconnect();
  });

  const partition = partitionOf("k0");
  const lease = streamKeys.lease("readers", "posts", partition);
  const position = (): Promise<string | null> =>
    redis.hget(streamKeys.positions("posts", partition), "readers");

  it("aborts the handlers and commits nothing when somebody else has the lease", async () => {
    const gate = Promise.withResolvers<void>();
    const signals: AbortSignal[] = [];
    await log.subscribe({
      group: "readers",
      topics: ["posts"],
      async handle(_, signal) {
        signals.push(signal);
        await gate.promise;
      },
    });
    await carrier.append([numbered("k0", 1)]);
    await waitFor(() => signals.length === 1);
    await redis.set(lease, "another:99");
    await waitFor(() => signals.every((signal) => signal.aborted));
    gate.resolve();
    await log.close();
    expect(await position()).toBeNull();
    expect(await redis.get(lease)).toBe("another:99");
  });

  it("commits nothing under a lease that is no longer its own", async () => {
    let handled = 0;
    await log.subscribe({
      group: "readers",
      topics: ["posts"],
      async handle() {
        handled++;
        // Taken between the handling and the commit, before any heartbeat could tell.
        await redis.set(lease, "another:99", "PX", 1_000);
      },
    });
    await carrier.append([numbered("k0", 1)]);
    // It comes again when the other's lease has expired, for ever: no commit is ever accepted.
    await waitFor(() => handled >= 2, { timeoutMs: 20_000 });
    expect(await position()).toBeNull();
  });

  it("hands an event over within milliseconds of its append", async () => {
    const delaysMs: number[] = [];
    let appendedAt = 0;
    await log.subscribe({
      group: "readers",
      topics: ["posts", "users", "follows"],
      handle() {
        delaysMs.push(performance.now() - appendedAt);
        return Promise.resolve();
      },
    });
    for (let i = 1; i <= 50; i++) {
      appendedAt = performance.now();
      await carrier.append([numbered(`k${i}`, 1)]);
      await waitFor(() => delaysMs.length === i, { intervalMs: 1 });
    }
    expect(delaysMs.toSorted((a, b) => a - b)[25]).toBeLessThan(20);
  });

  it("goes on behind a restart of Redis, without a loss", async () => {
    const folder = mkdtempSync(join(tmpdir(), "chirrup-events-"));
    const options = {
      dataDir: folder,
      port: await freePort(),
      logFile: join(folder, "redis.log"),
      settings: { appendonly: "yes", appendfsync: "always" },
    };
    let server = await startRedis(options);
    const restarted = redisCarrier(server.url);
    const consumer = openLog(server.url);
    try {
      const handled: { key: string; number: number }[] = [];
      await consumer.subscribe({
        group: "readers",
        topics: ["posts"],
        handle({ key, event }) {
          handled.push({ key, number: Number(event.eventId) });
          return Promise.resolve();
        },
      });
      const records = numberedRecords(2_000, 40);
      await restarted.append(records.slice(0, 1_000));
      await waitFor(() => handled.length > 500);
      process.kill(server.pid, "SIGKILL");
      await server.exited;
      server = await startRedis(options);
      await restarted.append(records.slice(1_000));
      await waitFor(() => new Set(handled.map(({ key, number }) => `${key} ${number}`)).size === 2_000, {
        timeoutMs: 20_000,
      });
      expect(firstFault(handled)).toBeUndefined();
    } finally {
      await consumer.close();
      await restarted.close();
      await server.stop();
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
