import { notFound } from "@chirrup/platform";

import type { Context, PostHandlers } from "../context.ts";
import { validId } from "../domain/id.ts";
import { likeMessage } from "../domain/like.ts";
import { readPage } from "../paging.ts";
import { findLikes } from "../store/like.ts";
import { findAuthor } from "../store/post.ts";

/** ListLikes: who likes a post, newest like first. One round trip, two when it is empty. */
export function listLikes({
  postgres,
  reads,
  cursors,
}: Pick<Context, "postgres" | "reads" | "cursors">): PostHandlers["listLikes"] {
  return async (request, call) => {
    const postId = validId("postId", request.postId);
    const page = await readPage(cursors, `likes:${postId}`, request, (before, limit) =>
      findLikes(reads.of(call), postId, before, limit),
    );
    if (page.rows.length === 0 && (await findAuthor(postgres, postId)) === undefined)
      throw notFound("post", postId);
    return { likes: page.rows.map(likeMessage), nextCursor: page.nextCursor };
  };
}
