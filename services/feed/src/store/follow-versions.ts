import { randomBytes } from "node:crypto";
import type { RedisPipeline, RedisReply } from "@chirrup/platform";

/**
 * `follows:{reader}`: a random mark under which processes keep whom a reader follows. It is dropped when an event
 * says that this has changed, and never comes back, so what is kept under it is right for as long as it is there.
 * A missing mark says nothing: the follow service is asked.
 */
export interface FollowVersions {
  /** Where a reader's mark is; `readIn` tells what is found there. Beside the reader's timeline in a cluster. */
  keyOf(readerId: bigint): string;
  /** The mark that holds; undefined when there is none. */
  readIn(text: string | undefined): FollowVersion | undefined;
  /**
   * A mark that was made before this resolves, by this call or an earlier one; with `anew`, by this call. Whatever
   * is read after it may be kept under it. Undefined when it was dropped at once. One round trip.
   */
  begin(readerId: bigint, anew: boolean): Promise<FollowVersion | undefined>;
  /** Makes all that is kept for the reader invalid. */
  drop(readerId: bigint): Promise<void>;
}

/** One state of a reader's follows. */
export type FollowVersion = string & { readonly followVersion: unique symbol };

/** `ttlMs`: how long a mark holds at most, should the event that ends it be lost with its server. */
export function createFollowVersions({
  reading,
  writing,
  ttlMs,
}: {
  readonly reading: RedisPipeline;
  readonly writing: RedisPipeline;
  readonly ttlMs: number;
}): FollowVersions {
  const call = (redis: RedisPipeline, command: string, readerId: bigint, ...args: (string | number)[]) =>
    redis.call(key(readerId), [command, key(readerId), ...args]);
  const key = (readerId: bigint): string => `follows:{${readerId}}`;
  const versionOf = (reply: RedisReply): FollowVersion | undefined =>
    typeof reply === "string" ? (reply as FollowVersion) : undefined;
  return {
    keyOf: key,
    readIn: (text) => versionOf(text ?? null),
    async begin(readerId, anew) {
      const drawn = randomBytes(9).toString("base64url");
      if (anew) {
        await call(reading, "SET", readerId, drawn, "PX", ttlMs);
        return versionOf(drawn);
      }
      const made = call(reading, "SET", readerId, drawn, "PX", ttlMs, "NX");
      const [, held] = await Promise.all([made, call(reading, "GET", readerId)]);
      return versionOf(held);
    },
    async drop(readerId) {
      await call(writing, "DEL", readerId);
    },
  };
}
