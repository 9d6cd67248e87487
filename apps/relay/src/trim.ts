import { setTimeout as pause } from "node:timers/promises";
import { loadScript, type Logger, partitionCount, streamKeys, topics, whenReady } from "@chirrup/platform";
import type { Redis } from "ioredis";

const trim = loadScript(new URL("../lua/trim.lua", import.meta.url));

const everyMs = 60_000;

export interface TrimOptions {
  /** Entries younger than this are kept, whoever has read them. */
  readonly minRetentionMs: number;
  /** Entries older than this are dropped from topics without any group; as long as outboxes keep their rows. */
  readonly orphanRetentionMs: number;
}

/** Trims all streams once; resolves to how many entries were dropped. */
export async function trimStreams(redis: Redis, options: TrimOptions): Promise<number> {
  let dropped = 0;
  for (const topic of Object.values(topics)) {
    for (let partition = 0; partition < partitionCount; partition++) {
      const keys = [
        streamKeys.stream(topic, partition),
        streamKeys.groups(topic),
        streamKeys.positions(topic, partition),
      ];
      dropped += Number(await trim(redis, keys, [options.minRetentionMs, options.orphanRetentionMs]));
    }
  }
  return dropped;
}

/** Trims every minute until the signal aborts. Several relays may do it at once. */
export async function keepTrimmed(
  redis: Redis,
  options: TrimOptions & { readonly log: Logger; readonly signal: AbortSignal },
): Promise<void> {
  const { log, signal } = options;
  while (!signal.aborted) {
    try {
      await whenReady(redis, signal);
      const dropped = await trimStreams(redis, options);
      if (dropped > 0) log.debug({ dropped }, "trimmed the streams");
    } catch (error) {
      if (signal.aborted) return;
      log.warn({ err: error }, "trimming failed, will be repeated");
    }
    await pause(everyMs, undefined, { signal }).catch(() => undefined);
  }
}
