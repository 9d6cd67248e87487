import { notFound, requireCaller } from "@chirrup/platform";

import type { Context, PostHandlers } from "../context.ts";
import { validId } from "../domain/id.ts";
import { insertLike } from "../store/like.ts";

/** LikePost: twice is once, and keeps the time of the first. One round trip. */
export function likePost({ postgres, ids }: Pick<Context, "postgres" | "ids">): PostHandlers["likePost"] {
  return async (request, call) => {
    const { userId } = requireCaller(call);
    const postId = validId("postId", request.postId);
    if (!(await insertLike(postgres, postId, { id: ids.next(), userId }))) throw notFound("post", postId);
    return {};
  };
}
