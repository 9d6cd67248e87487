import { notFound } from "@chirrup/platform";

import type { Context, PostHandlers } from "../context.ts";
import { commentMessage } from "../domain/comment.ts";
import { validId } from "../domain/id.ts";
import { readPage } from "../paging.ts";
import { findComments } from "../store/comment.ts";
import { findAuthor } from "../store/post.ts";

/** ListComments: a post's comments, newest first. One round trip, two when it is empty. */
export function listComments({
  postgres,
  reads,
  cursors,
}: Pick<Context, "postgres" | "reads" | "cursors">): PostHandlers["listComments"] {
  return async (request, call) => {
    const postId = validId("postId", request.postId);
    const page = await readPage(cursors, `comments:${postId}`, request, (before, limit) =>
      findComments(reads.of(call), postId, before, limit),
    );
    if (page.rows.length === 0 && (await findAuthor(postgres, postId)) === undefined)
      throw notFound("post", postId);
    return { comments: page.rows.map(commentMessage), nextCursor: page.nextCursor };
  };
}
