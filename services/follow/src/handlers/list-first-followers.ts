import { invalidArgument, pageSize } from "@chirrup/platform";
import type { FollowContext, Rpc } from "../context.ts";
import { followerPage } from "../domain/follower-page.ts";
import { firstFollowers } from "../store/neighbours.ts";

const maxAuthors = 32;

/**
 * Most posts are of authors with few followers, and come many at a time: one statement serves them all. An id that is
 * nobody's has no followers, so that one caller's mistake is not the others'.
 */
export function listFirstFollowers({ postgres }: Pick<FollowContext, "postgres">): Rpc<"listFirstFollowers"> {
  return async ({ userIds, pageSize: asked }) => {
    if (userIds.length > maxAuthors) {
      throw invalidArgument({ field: "userIds", description: `must be at most ${maxAuthors}` });
    }
    return { authors: await firstFollowers(postgres, { userIds, limit: pageSize(asked, followerPage) }) };
  };
}
