import { partitionOf, streamKeys } from "@chirrup/platform";
import { Redis } from "ioredis";
import type { Carrier, DeadLetter } from "./carrier.ts";
import { openLog } from "./log-module.ts";

/** The embedded carrier on a Redis server. */
export function redisCarrier(url: string): Carrier {
  const redis = new Redis(url);
  return {
    url,
    module: new URL("log-module.ts", import.meta.url),
    openLog: () => openLog(url),
    async append(records) {
      const pipeline = redis.pipeline();
      for (const { topic, key, payload } of records)
        pipeline.xadd(streamKeys.stream(topic, partitionOf(key)), "*", "k", key, "e", Buffer.from(payload));
      await pipeline.exec();
    },
    async deadLetters(group) {
      const entries = await redis.xrangeBuffer(streamKeys.deadLetters(group), "-", "+");
      return entries.map(([, fields]) => {
        const value = (name: string): Buffer =>
          fields[fields.findIndex((field) => field.toString() === name) + 1] ?? Buffer.alloc(0);
        const letter: DeadLetter = {
          topic: value("topic").toString(),
          key: value("key").toString(),
          position: value("position").toString(),
          cause: value("cause").toString(),
          payload: value("payload"),
        };
        return letter;
      });
    },
    handsOverWithinMs: 2_000,
    partitionOf: (key) => partitionOf(key),
    close() {
      redis.disconnect();
      return Promise.resolve();
    },
  };
}
