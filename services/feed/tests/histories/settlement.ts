import type { ReceivedEvent } from "@chirrup/platform";
import type { World } from "../world.ts";
import type { Promises } from "./scroll.ts";

/** Which events have been applied, and what follows for readers. */
export interface Settlement extends Promises {
  applied(received: ReceivedEvent): void;
}

export function createSettlement(world: World): Settlement {
  const posts = new Set<bigint>();
  const follows = new Set<bigint>();
  const ended = new Set<bigint>();

  const isSettled = (readerId: bigint, authorId: bigint): boolean => {
    const followId = world.followId(readerId, authorId);
    return authorId === readerId || (followId !== undefined && follows.has(followId));
  };
  return {
    applied({ event: { payload } }) {
      if (payload.case === "postCreated") posts.add(payload.value.postId);
      if (payload.case === "followCreated") follows.add(payload.value.followId);
      if (payload.case === "followDeleted") ended.add(payload.value.followId);
    },
    settled: (readerId) =>
      world
        .feedOf(readerId)
        .filter((postId) => posts.has(postId) && isSettled(readerId, world.posts.get(postId) ?? 0n)),
    mayShow(readerId, authorId, knownFollows) {
      if (authorId === readerId || world.followId(readerId, authorId) !== undefined) return true;
      const before = world.ended(readerId, authorId);
      return before.some(({ at, followId }) => !ended.has(followId) && at > knownFollows);
    },
  };
}
