import { randomBytes } from "node:crypto";
import type { Redis } from "@chirrup/platform";

/**
 * `follows:{reader}`: a random mark under which processes keep whom a reader follows. It is dropped when an event
 * says that this has changed, and never comes back, so what is kept under it is right for as long as it is there.
 * A missing mark says nothing: the follow service is asked.
 */
export interface FollowVersions {
  /** The mark that holds; undefined when there is none. One round trip. */
  read(readerId: bigint): Promise<FollowVersion | undefined>;
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
  readonly reading: Redis;
  readonly writing: Redis;
  readonly ttlMs: number;
}): FollowVersions {
  const key = (readerId: bigint): string => `follows:{${readerId}}`;
  const versionOf = (reply: string | null): FollowVersion | undefined =>
    reply === null ? undefined : (reply as FollowVersion);
  return {
    async read(readerId) {
      return versionOf(await reading.get(key(readerId)));
    },
    async begin(readerId, anew) {
      const drawn = randomBytes(9).toString("base64url");
      if (anew) {
        await reading.set(key(readerId), drawn, "PX", ttlMs);
        return versionOf(drawn);
      }
      const made = reading.set(key(readerId), drawn, "PX", ttlMs, "NX");
      const [, held] = await Promise.all([made, reading.get(key(readerId))]);
      return versionOf(held);
    },
    async drop(readerId) {
      await writing.del(key(readerId));
    },
  };
}
