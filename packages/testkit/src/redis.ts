import { Redis } from "ioredis";
import { inject } from "vitest";
import "./global-setup.ts";

/** An empty logical database of this run's Redis server, which nobody else was given. */
export async function testRedis(): Promise<{ readonly url: string }> {
  const serverUrl = inject("redisUrl");
  const redis = new Redis(serverUrl);
  try {
    const number = await redis.incr("testkit:last-database");
    await redis.select(number);
    await redis.flushdb();
    return { url: `${serverUrl}/${number}` };
  } finally {
    redis.disconnect();
  }
}
