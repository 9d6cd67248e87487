import { notFound, requireCaller } from "@chirrup/platform";

import type { Context, PostHandlers } from "../context.ts";
import { accountGone } from "../domain/account.ts";
import { validId } from "../domain/id.ts";
import { isDeleted } from "../store/deleted-account.ts";
import { insertLike } from "../store/like.ts";

/** LikePost: twice is once, and keeps the time of the first. One round trip. */
export function likePost({ postgres, ids }: Pick<Context, "postgres" | "ids">): PostHandlers["likePost"] {
  return async (request, call) => {
    const { userId } = requireCaller(call);
    const postId = validId("postId", request.postId);
    if (!(await insertLike(postgres, postId, { id: ids.next(), userId }))) {
      throw (await isDeleted(postgres, userId)) ? accountGone() : notFound("post", postId);
    }
    return {};
  };
}
