import { randomUUID } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import type { Redis } from "ioredis";
import type { Logger } from "../../log/index.ts";
import type { SubscribeOptions, Subscription } from "../event-log.ts";
import { partitionCount } from "../partition-of.ts";
import { createApplier, type Task } from "./applier.ts";
import { createCommitter } from "./committer.ts";
import { whenReady } from "./connection.ts";
import { streamKeys } from "./keys.ts";
import { createLanes } from "./lanes.ts";
import { createLeases } from "./leases.ts";
import type { StreamMetrics } from "./metrics.ts";
import { startReader } from "./reader.ts";
import { scripts } from "./scripts.ts";

const defaultConcurrency = 16;

export interface SubscriptionContext {
  readonly redis: Redis;
  /** For the blocking reads of this subscription alone. */
  readonly blocking: Redis;
  readonly log: Logger;
  readonly metrics: StreamMetrics;
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

  const member = randomUUID();
  const reading = new AbortController();
  const leases = createLeases({
    redis,
    group,
    member,
    topics,
    log,
    onChanged: () => {
      for (const topic of topics) {
        const count = [...leases.owned].filter((owned) => owned.topic === topic).length;
        metrics.partitions.set({ group, topic }, count);
      }
      reader.wake();
    },
    commit: (owned) => committer.commit(owned),
  });
  const committer = createCommitter({
    redis,
    group,
    log,
    onLost: (owned) => leases.lose(owned, "another process holds the lease"),
    onCommitted: (owned) => reader.shrunk(owned),
  });
  const lanes = createLanes<Task>({
    concurrency: options.concurrency ?? defaultConcurrency,
    run: createApplier({
      redis,
      group,
      handle: (event, signal) => options.handle(event, signal),
      log,
      metrics,
      onDone: (owned) => committer.touched(owned),
      onLost: (owned) => leases.lose(owned, "another process holds the lease"),
    }),
  });
  const reader = startReader({
    blocking,
    redis,
    owned: () => leases.owned,
    take: (owned, { id, key, payload }) => {
      const slot = owned.window.add(id);
      // With the token: a lane of a lost lease must not be continued by the next one.
      lanes.push(`${owned.token}/${owned.topic}/${owned.partition}/${key}`, { owned, slot, key, payload });
    },
    log,
    signal: reading.signal,
  });
  await leases.tick();

  let closing: Promise<void> | undefined;
  async function close(): Promise<void> {
    reading.abort(new Error("the subscription is closed"));
    await reader.done;
    await leases.close();
    committer.close();
    lanes.close();
  }
  return {
    async lag() {
      const keys = topics.flatMap((topic) =>
        Array.from({ length: partitionCount }, (_, partition) => [
          streamKeys.stream(topic, partition),
          streamKeys.positions(topic, partition),
        ]).flat(),
      );
      return Number(await scripts.lag(redis, keys, [group]));
    },
    close: () => (closing ??= close()),
  };
}
