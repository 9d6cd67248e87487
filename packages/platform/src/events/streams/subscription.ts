import { randomUUID } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import type { Redis } from "ioredis";
import type { Logger } from "../../log/index.ts";
import type { ConsumerMetrics } from "../consume/metrics.ts";
import { createPipeline, reportPartitions } from "../consume/pipeline.ts";
import type { SubscribeOptions, Subscription } from "../event-log.ts";
import { whenReady } from "./connection.ts";
import { streamKeys } from "./keys.ts";
import { groupLag } from "./lag.ts";
import { createLeases } from "./leases.ts";
import { startReader } from "./reader.ts";
import { scripts } from "./scripts.ts";

export interface SubscriptionContext {
  readonly redis: Redis;
  /** For the blocking reads of this subscription alone. */
  readonly blocking: Redis;
  readonly log: Logger;
  readonly metrics: ConsumerMetrics;
  /** Aborted when the log is closed. */
  readonly signal: AbortSignal;
}

/** Members register before they read: from then on the relay trims nothing that the group has not committed. */
async function register(
  redis: Redis,
  { group, topics }: SubscribeOptions,
  context: SubscriptionContext,
): Promise<void> {
  for (;;) {
    await whenReady(redis, context.signal);
    try {
      await Promise.all(topics.map((topic) => redis.sadd(streamKeys.groups(topic), group)));
      return;
    } catch (error) {
      context.log.warn({ err: error, group }, "event log: registering the group failed, will be repeated");
      await pause(500, undefined, { signal: context.signal });
    }
  }
}

/** Joins a group and starts to handle its events. */
export async function openSubscription(
  options: SubscribeOptions,
  context: SubscriptionContext,
): Promise<Subscription> {
  const { group, topics } = options;
  const { redis, blocking, log, metrics } = context;
  await register(redis, options, context);

  const reading = new AbortController();
  const leases = createLeases({
    redis,
    group,
    member: randomUUID(),
    topics,
    log,
    onChanged: () => {
      reportPartitions(metrics, options, leases.owned);
      reader.wake();
    },
    commit: (owned) => pipeline.commit([owned]),
  });
  const pipeline = createPipeline({
    subscription: options,
    async bury({ owned, slot, key, payload }, cause) {
      const { topic, partition, token } = owned;
      const fields = { topic, partition, position: slot.id, key, cause, payload: Buffer.from(payload) };
      const keys = [streamKeys.lease(group, topic, partition), streamKeys.deadLetters(group)];
      const record = await scripts.deadLetter(redis, keys, [token, ...Object.entries(fields).flat()]);
      return record !== null;
    },
    async write(commits) {
      const keys = commits.flatMap(({ owned: { topic, partition } }) => [
        streamKeys.lease(group, topic, partition),
        streamKeys.positions(topic, partition),
      ]);
      const args = commits.flatMap(({ owned, position }) => [
        owned.token,
        `${position.id} ${position.count}`,
      ]);
      const held = (await scripts.commit(redis, keys, [group, ...args])) as readonly number[];
      return commits.flatMap(({ owned }, at) => (held[at] === 1 ? [] : [owned]));
    },
    onLost: (owned) => leases.lose(owned, "another process holds the lease"),
    onCommitted: (owned) => reader.shrunk(owned),
    log,
    metrics,
  });
  const reader = startReader({
    blocking,
    redis,
    owned: () => leases.owned,
    take: (owned, record) => pipeline.take(owned, record),
    log,
    signal: reading.signal,
  });
  await leases.tick();

  let closing: Promise<void> | undefined;
  async function close(): Promise<void> {
    reading.abort(new Error("the subscription is closed"));
    await reader.done;
    await leases.close();
    pipeline.close();
  }
  return {
    lag: () => groupLag(redis, group, topics),
    close: () => (closing ??= close()),
  };
}
