import { notFound, requireCaller } from "@chirrup/platform";

import type { Context, PostHandlers } from "../context.ts";
import { validId } from "../domain/id.ts";
import { deleteLike } from "../store/like.ts";

/** UnlikePost: twice is once, and so is unliking what was never liked. One round trip. */
export function unlikePost({ postgres }: Pick<Context, "postgres">): PostHandlers["unlikePost"] {
  return async (request, call) => {
    const { userId } = requireCaller(call);
    const postId = validId("postId", request.postId);
    if (!(await deleteLike(postgres, postId, userId))) throw notFound("post", postId);
    return {};
  };
}
