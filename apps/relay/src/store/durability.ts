import type { Logger } from "@chirrup/platform";
import type { Redis } from "ioredis";

/** What a slot is confirmed on the strength of: an answer of Redis means that the event is on its disk. */
const wanted: Readonly<Record<string, string>> = {
  appendonly: "yes",
  appendfsync: "always",
  "maxmemory-policy": "noeviction",
};

/** Warns of a Redis that may lose events which Postgres was told to forget. */
export async function warnUnlessDurable(redis: Redis, log: Logger): Promise<void> {
  try {
    for (const [setting, value] of Object.entries(wanted)) {
      const [, found] = await redis.config("GET", setting);
      if (found !== undefined && found !== value)
        log.warn({ setting, found, wanted: value }, "the event Redis may lose events");
    }
  } catch (error) {
    log.debug({ err: error }, "the settings of the event Redis cannot be read");
  }
}
