import type { FollowContext, Rpc } from "../context.ts";
import { requireUserId } from "../domain/user-id.ts";
import { followeeIds } from "../store/neighbours.ts";

export function listFollowees({ reads }: Pick<FollowContext, "reads">): Rpc<"listFollowees"> {
  return async ({ userId }, call) => {
    requireUserId(userId);
    return { followeeIds: await followeeIds(reads.of(call), userId) };
  };
}
