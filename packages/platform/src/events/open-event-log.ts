import type { Logger } from "../log/index.ts";
import type { Metrics } from "../metrics/index.ts";
import type { Carrier, CarrierOptions } from "./carrier.ts";
import { consumerMetrics } from "./consume/metrics.ts";
import type { EventLog, Subscription } from "./event-log.ts";
import { isKafkaUrl } from "./kafka/brokers.ts";
import { openStreams } from "./streams/open-streams.ts";

export interface EventLogOptions {
  /** `kafka://host:port[,host:port…]` (see parseKafkaUrl), or `redis://[:password@]host:port[/db]` for the embedded carrier. */
  readonly url: string;
  readonly log: Logger;
  readonly metrics: Metrics;
}

/** Kafka's client takes 50 MB, which a process without Kafka shall not spend. */
async function openCarrier(options: CarrierOptions): Promise<Carrier> {
  if (!isKafkaUrl(options.url)) return openStreams(options);
  return (await import("./kafka/open-kafka.ts")).openKafka(options);
}

/** Opens the log on the carrier that the URL names. */
export function openEventLog({ url, log, metrics }: EventLogOptions): EventLog {
  const closing = new AbortController();
  const opening = openCarrier({ url, log, metrics: consumerMetrics(metrics), signal: closing.signal });
  // A subscription tells of the failure; without one, nobody asks.
  opening.catch(() => undefined);
  const subscriptions = new Set<Subscription>();

  return {
    async subscribe(options) {
      closing.signal.throwIfAborted();
      const carrier = await opening;
      closing.signal.throwIfAborted();
      const subscription = await carrier.subscribe(options);
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
    },
    async close() {
      closing.abort(new Error("the event log is closed"));
      await Promise.all([...subscriptions].map((subscription) => subscription.close()));
      const carrier = await opening.catch(() => undefined);
      await carrier?.close();
    },
  };
}
