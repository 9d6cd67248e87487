import type { FollowContext, Rpc } from "../context.ts";
import { requireUserId } from "../domain/user-id.ts";
import { readCounts } from "../store/follow-counts.ts";

export function getFollowCounts({ reads, users }: FollowContext): Rpc<"getFollowCounts"> {
  return async ({ userId }, call) => {
    requireUserId(userId);

    const counts = await readCounts(reads.of(call), userId);
    if (counts.followers === 0n && counts.following === 0n) await users.requireExisting(userId, call);
    return { counts };
  };
}
