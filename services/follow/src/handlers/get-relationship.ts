import { requireCaller } from "@chirrup/platform";
import type { FollowContext, Rpc } from "../context.ts";
import { requireUserId } from "../domain/user-id.ts";
import { readRelationship } from "../store/edges.ts";

export function getRelationship({ reads, users }: FollowContext): Rpc<"getRelationship"> {
  return async ({ userId }, call) => {
    const { userId: callerId } = requireCaller(call);
    requireUserId(userId);

    const relationship = await readRelationship(reads.of(call), { callerId, userId });
    // An edge proves that the user exists, and so does being the caller.
    const known = relationship.following || relationship.followedBy || userId === callerId;
    if (!known) await users.requireExisting(userId, call);
    return { relationship };
  };
}
