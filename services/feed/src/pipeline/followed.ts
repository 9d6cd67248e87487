import type { CallOptions } from "@chirrup/grpc";
import type { FollowClient } from "../clients/follow.ts";
import { type Followees, followeesOf } from "../domain/followees.ts";
import { createKept } from "../domain/kept.ts";
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
  const kept = createKept<Known>(maxKept, ({ followees }) => followees.size + 8);

  return {
    peek: (readerId) => kept.use(readerId),
    async load(readerId, anew, options) {
      const version = await versions.begin(readerId, anew).catch(() => undefined);
      const followees = followeesOf(await follows.listFollowees(readerId, options));
      if (version === undefined) kept.drop(readerId);
      else kept.keep(readerId, { version, followees });
      return followees;
    },
  };
}
