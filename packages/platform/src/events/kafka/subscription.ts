import { setTimeout as pause } from "node:timers/promises";
import type { Admin, Producer } from "@platformatic/kafka";
import type { CarrierOptions } from "../carrier.ts";
import { backoffMs } from "../consume/backoff.ts";
import { createPipeline, reportPartitions } from "../consume/pipeline.ts";
import type { SubscribeOptions, Subscription } from "../event-log.ts";
import { openConsumer } from "./clients.ts";
import { createBury } from "./dead-letters.ts";
import { groupLag } from "./lag.ts";
import { createMembership } from "./membership.ts";
import { startReader } from "./reader.ts";
import { ensureDeadLetterTopic, ensureTopics } from "./topics.ts";

export interface SubscriptionContext extends CarrierOptions {
  readonly admin: Admin;
  readonly producer: Producer;
}

async function prepareTopics(
  { group, topics }: SubscribeOptions,
  { admin, log, signal }: SubscriptionContext,
): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    signal.throwIfAborted();
    try {
      await ensureTopics(admin, topics);
      await ensureDeadLetterTopic(admin, group);
      return;
    } catch (error) {
      if (Number.isInteger(Math.log2(attempt)))
        log.warn({ err: error, group }, "event log: the topics are not ready, will be asked for again");
      await pause(backoffMs(attempt), undefined, { signal }).catch(() => undefined);
    }
  }
}

/** Joins a consumer group and starts to handle its events. */
export async function openSubscription(
  options: SubscribeOptions,
  context: SubscriptionContext,
): Promise<Subscription> {
  const { url, admin, producer, log, metrics, signal } = context;
  const { group, topics } = options;
  await prepareTopics(options, context);

  const reading = new AbortController();
  const fetcher = openConsumer(url, { groupId: group });
  for (const topic of topics) fetcher.topics.track(topic);
  const membership = createMembership({
    url,
    group,
    topics,
    log,
    signal,
    onChanged: () => {
      reportPartitions(metrics, options, membership.owned);
      reader.wake();
    },
    commit: (partitions) => pipeline.commit(partitions),
  });
  const pipeline = createPipeline({
    subscription: options,
    bury: createBury(producer, group),
    async write(commits) {
      await membership.consumer.commit({
        offsets: commits.map(({ owned: { topic, partition }, position }) => ({
          topic,
          partition,
          offset: BigInt(position.id) + 1n,
          leaderEpoch: -1,
        })),
      });
      // A refused commit rejects; whether a partition is lost is the membership's to say.
      return [];
    },
    onLost: () => undefined,
    onCommitted: (owned) => reader.shrunk(owned),
    log,
    metrics,
  });
  const reader = startReader({
    fetcher,
    topics,
    owned: () => membership.owned,
    pipeline,
    log,
    signal: reading.signal,
  });

  let closing: Promise<void> | undefined;
  async function close(): Promise<void> {
    reading.abort(new Error("the subscription is closed"));
    await membership.close();
    pipeline.close();
    await fetcher.close(true).catch(() => undefined);
    await reader.done;
  }
  const subscription: Subscription = {
    async lag() {
      const lags = await groupLag(admin, group, topics);
      return lags.reduce((sum, { lag }) => sum + lag, 0);
    },
    close: () => (closing ??= close()),
  };
  try {
    await membership.join();
  } catch (error) {
    await subscription.close();
    throw error;
  }
  return subscription;
}
