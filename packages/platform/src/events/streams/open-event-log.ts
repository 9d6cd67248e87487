import type { Logger } from "../../log/index.ts";
import type { EventLog, Subscription } from "../event-log.ts";
import type { Metrics } from "../../metrics/index.ts";
import { openEventRedis } from "./connection.ts";
import { streamMetrics } from "./metrics.ts";
import { openSubscription } from "./subscription.ts";

export interface EventLogOptions {
  /** `redis://[:password@]host:port[/db]`, Redis 7 or Valkey, appendfsync always, noeviction. */
  readonly url: string;
  readonly log: Logger;
  readonly metrics: Metrics;
}

/**
 * Opens the embedded carrier: Redis Streams that the relay fills from the outboxes.
 *
 * Why not Redis's own consumer groups: they hand the entries of one stream to whoever asks, so two
 * processes would handle one key at once; and an entry acknowledged out of order cannot be told from a
 * prefix. Here a partition has one fenced owner and a position, as in Kafka.
 */
export function openEventLog({ url, log, metrics }: EventLogOptions): EventLog {
  const redis = openEventRedis({ url, log, name: "events" });
  const closing = new AbortController();
  const subscriptions = new Set<Subscription>();

  return {
    async subscribe(options) {
      closing.signal.throwIfAborted();
      const blocking = openEventRedis({ url, log, name: `events-${options.group}` });
      try {
        const subscription = await openSubscription(options, {
          redis,
          blocking,
          log,
          metrics: streamMetrics(metrics),
          signal: closing.signal,
        });
        const registered: Subscription = {
          lag: () => subscription.lag(),
          async close() {
            await subscription.close();
            subscriptions.delete(registered);
          },
        };
        subscriptions.add(registered);
        if (closing.signal.aborted) await registered.close();
        closing.signal.throwIfAborted();
        return registered;
      } catch (error) {
        blocking.disconnect();
        throw error;
      }
    },
    async close() {
      closing.abort(new Error("the event log is closed"));
      await Promise.all([...subscriptions].map((subscription) => subscription.close()));
      redis.disconnect();
    },
  };
}
