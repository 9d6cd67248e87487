import type { CallOptions } from "@chirrup/grpc";
import type { FollowClient } from "../clients/follow.ts";
import { type Followees, followeesOf } from "../domain/followees.ts";
import type { FollowVersion, FollowVersions } from "../store/follow-versions.ts";

export interface FollowedContext {
  readonly follows: FollowClient;
  readonly versions: FollowVersions;
  /** How many followees are kept in all, of all readers together; 8 bytes each. */
  readonly maxKept: number;
}

/** Whom a reader follows, and the version under which this is kept. */
export interface Known {
  readonly version: FollowVersion;
  readonly followees: Followees;
}

/** Whom readers follow, kept in this process so that the follow service is not asked for each page. */
export interface Followed {
  /** What is kept. Right only if the version is the one that holds. */
  peek(readerId: bigint): Known | undefined;
  /**
   * Asks the follow service, and keeps the answer; `anew`: under a version of its own, whatever holds. One round trip
   * to Redis, then one rpc, which must be answered from the primary: a replica may not have come to what the event
   * that dropped the last version told. Goes on without Redis, and keeps nothing then.
   */
  load(readerId: bigint, anew: boolean, options: CallOptions): Promise<Followees>;
}

/**
 * Why what is kept under a version is right once events have drained. A follow or unfollow is committed, then its
 * event drops the version. An answer was read after its version was there. Was it read before the commit, then the
 * version was there before the drop, and is gone after it. Was it read after, it has the change.
 */
export function createFollowed({ follows, versions, maxKept }: FollowedContext): Followed {
  // In the order of use, so that the first is the one to let go of.
  const kept = new Map<bigint, Known>();
  let keptIds = 0;
  const costOf = ({ followees }: Known): number => followees.size + 8;

  function drop(readerId: bigint): void {
    const known = kept.get(readerId);
    if (known === undefined) return;
    kept.delete(readerId);
    keptIds -= costOf(known);
  }
  function keep(readerId: bigint, known: Known): void {
    drop(readerId);
    kept.set(readerId, known);
    keptIds += costOf(known);
    for (const oldest of kept.keys()) {
      if (keptIds <= maxKept) break;
      drop(oldest);
    }
  }

  return {
    peek(readerId) {
      const known = kept.get(readerId);
      if (known === undefined) return undefined;
      kept.delete(readerId);
      kept.set(readerId, known);
      return known;
    },
    async load(readerId, anew, options) {
      const version = await versions.begin(readerId, anew).catch(() => undefined);
      const followees = followeesOf(await follows.listFollowees(readerId, options));
      if (version === undefined) drop(readerId);
      else keep(readerId, { version, followees });
      return followees;
    },
  };
}
