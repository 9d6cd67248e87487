import { coalesce, notFound, requireCaller } from "@chirrup/platform";

import type { Context, PostHandlers } from "../context.ts";
import { accountGone } from "../domain/account.ts";
import { validId } from "../domain/id.ts";
import { type Like, mostLikesAtOnce } from "../domain/like.ts";
import { insertLikes } from "../store/like.ts";

/**
 * LikePost: twice is once, and keeps the time of the first. One round trip, which those who like the same post
 * at once share.
 */
export function likePost({ postgres, ids }: Pick<Context, "postgres" | "ids">): PostHandlers["likePost"] {
  const like = coalesce<Like, "liked" | "no post" | "no account">(mostLikesAtOnce, async (postId, likes) => {
    const { found, deleted } = await insertLikes(postgres, postId, likes);
    return likes.map(({ userId }) => (deleted.includes(userId) ? "no account" : found ? "liked" : "no post"));
  });
  return async (request, call) => {
    const { userId } = requireCaller(call);
    const postId = validId("postId", request.postId);
    const outcome = await like(postId, { id: ids.next(), userId });
    if (outcome === "no account") throw accountGone();
    if (outcome === "no post") throw notFound("post", postId);
    return {};
  };
}
