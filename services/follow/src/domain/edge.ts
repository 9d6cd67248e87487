import type { MessageInitShape } from "@bufbuild/protobuf";
import { failedPrecondition, invalidArgument, timestampOf } from "@chirrup/platform";
import type { FollowSchema } from "@chirrup/proto/chirrup/follow/v1/follow_service";

/** The most users that one user follows. It bounds what a reader's feed is merged and rebuilt from. */
export const maxFollowing = 5_000;

/** Both ends of an edge. */
export interface Ends {
  readonly followerId: bigint;
  readonly followeeId: bigint;
}

/** One edge as a list holds it. */
export interface ListedEdge {
  /** The edge's id; its milliseconds are when the follow was made. */
  readonly id: bigint;
  /** The user at the other end. */
  readonly userId: bigint;
}

/** Refuses to follow oneself: INVALID_ARGUMENT, field userId. */
export function requireAnother(callerId: bigint, userId: bigint): void {
  if (callerId === userId) {
    throw invalidArgument({
      field: "userId",
      description: "must be another user: nobody follows themselves",
    });
  }
}

/** Refuses a follow that makes more than {@link maxFollowing}: FAILED_PRECONDITION. */
export function requireRoom(followingAfter: bigint): void {
  if (followingAfter > maxFollowing) {
    throw failedPrecondition("TOO_MANY_FOLLOWS", `no more than ${maxFollowing} users can be followed`);
  }
}

/** An edge as the API shows it. */
export function toFollow({ id, userId }: ListedEdge): MessageInitShape<typeof FollowSchema> {
  return { id, userId, createdAt: timestampOf(id) };
}
