import type { FollowContext, Rpc } from "../context.ts";
import { requireUserId } from "../domain/user-id.ts";
import { followeeIds } from "../store/neighbours.ts";

export function listFollowees({ postgres }: Pick<FollowContext, "postgres">): Rpc<"listFollowees"> {
  return async ({ userId }) => {
    requireUserId(userId);
    return { followeeIds: await followeeIds(postgres, userId) };
  };
}
