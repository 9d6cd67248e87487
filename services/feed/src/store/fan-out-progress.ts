import type { RedisPipeline } from "@chirrup/platform";

/**
 * `fanout:{event}`: how far a long fan-out has come, so that another process goes on with it. To lose it costs the
 * work once more; what it says is done was done before it was written.
 */
export interface FanOutProgress {
  /** The id up to which all followers were served; 0 when nothing is known. */
  read(eventId: bigint): Promise<bigint>;
  save(eventId: bigint, followerId: bigint): Promise<void>;
  /** The fan-out is over. */
  clear(eventId: bigint): Promise<void>;
}

/** Longer than an event waits to be delivered again. */
const ttlMs = 24 * 60 * 60 * 1_000;

export function createFanOutProgress(redis: RedisPipeline): FanOutProgress {
  const key = (eventId: bigint): string => `fanout:{${eventId}}`;
  return {
    async read(eventId) {
      const saved = await redis.call(key(eventId), ["GET", key(eventId)]);
      return typeof saved === "string" ? BigInt(saved) : 0n;
    },
    async save(eventId, followerId) {
      await redis.call(key(eventId), ["SET", key(eventId), followerId, "PX", ttlMs]);
    },
    async clear(eventId) {
      await redis.call(key(eventId), ["DEL", key(eventId)]);
    },
  };
}
