import { type Logger, type Metrics, openEventRedis, type Readiness } from "@chirrup/platform";
import { relayMetrics, watchSlotLag } from "./metrics.ts";
import { startSource } from "./source.ts";
import { warnUnlessDurable } from "./store/durability.ts";
import { keepTrimmed } from "./trim.ts";

/** As long as an outbox keeps its rows. */
const orphanRetentionMs = 48 * 3_600_000;

export interface RelayOptions {
  /** Name → postgres:// of each database with an outbox. */
  readonly sources: ReadonlyMap<string, string>;
  /** redis:// of the event log. */
  readonly eventLogUrl: string;
  readonly minRetentionMs: number;
  readonly log: Logger;
  readonly metrics: Metrics;
  /** Gets one check for each source. */
  readonly readiness: Readiness;
}

export interface Relay {
  /** Appends what was received, confirms it and leaves the slots to the next relay. */
  close(): Promise<void>;
}

/** Starts to carry the rows of every source's outbox to the streams, and to trim the streams. */
export function startRelay(options: RelayOptions): Relay {
  const { sources, log, readiness } = options;
  const stopping = new AbortController();
  const { signal } = stopping;
  const redis = openEventRedis({ url: options.eventLogUrl, name: "relay", log });
  const counters = relayMetrics(options.metrics, sources.keys());
  redis.on("ready", () => void warnUnlessDurable(redis, log));
  const lag = watchSlotLag(options.metrics, sources, log);

  const running = [...sources].map(([name, url]) => {
    const source = startSource({
      source: name,
      url,
      redis,
      log,
      signal,
      onAppended: (rows) => counters.appended(name, rows),
      onReconnect: () => counters.reconnected(name),
    });
    readiness.add(`source ${name}`, () => source.reason);
    return source.done;
  });
  readiness.add("event log", () => (redis.status === "ready" ? undefined : "Redis is away"));
  const trimming = keepTrimmed(redis, {
    minRetentionMs: options.minRetentionMs,
    orphanRetentionMs,
    log,
    signal,
  });

  return {
    async close() {
      stopping.abort(new Error("the relay is stopping"));
      await Promise.all([...running, trimming]);
      redis.disconnect();
      await lag.close();
    },
  };
}
