import type { Carrier, CarrierOptions } from "../carrier.ts";
import { openEventRedis } from "./connection.ts";
import { openSubscription } from "./subscription.ts";

/**
 * Opens the embedded carrier: Redis Streams that the relay fills from the outboxes. The URL is
 * `redis://[:password@]host:port[/db]`: Redis 7 or Valkey, appendfsync always, noeviction.
 *
 * Why not Redis's own consumer groups: they hand the entries of one stream to whoever asks, so two
 * processes would handle one key at once; and an entry acknowledged out of order cannot be told from a
 * prefix. Here a partition has one fenced owner and a position, as in Kafka.
 */
export function openStreams({ url, log, metrics, signal }: CarrierOptions): Carrier {
  const redis = openEventRedis({ url, log, name: "events" });
  return {
    async subscribe(options) {
      const blocking = openEventRedis({ url, log, name: `events-${options.group}` });
      try {
        return await openSubscription(options, { redis, blocking, log, metrics, signal });
      } catch (error) {
        blocking.disconnect();
        throw error;
      }
    },
    close() {
      redis.disconnect();
      return Promise.resolve();
    },
  };
}
