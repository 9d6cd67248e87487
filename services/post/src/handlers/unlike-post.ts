import { coalesce, notFound, requireCaller } from "@chirrup/platform";

import type { Context, PostHandlers } from "../context.ts";
import { validId } from "../domain/id.ts";
import { mostLikesAtOnce } from "../domain/like.ts";
import { deleteLikes } from "../store/like.ts";

/**
 * UnlikePost: twice is once, and so is unliking what was never liked. One round trip, which those who unlike the
 * same post at once share.
 */
export function unlikePost({ postgres }: Pick<Context, "postgres">): PostHandlers["unlikePost"] {
  const unlike = coalesce<bigint, boolean>(mostLikesAtOnce, async (postId, userIds) => {
    const found = await deleteLikes(postgres, postId, userIds);
    return userIds.map(() => found);
  });
  return async (request, call) => {
    const { userId } = requireCaller(call);
    const postId = validId("postId", request.postId);
    if (!(await unlike(postId, userId))) throw notFound("post", postId);
    return {};
  };
}
