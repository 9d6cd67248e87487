import { notFound } from "@chirrup/platform";

import type { Context, PostHandlers } from "../context.ts";
import { validId } from "../domain/id.ts";
import { postMessage } from "../domain/post.ts";
import { readPage } from "../paging.ts";
import { findPostsOf } from "../store/post.ts";

/**
 * ListUserPosts: a user's posts, newest first. One round trip; when the first page is empty, another to the
 * user service, which knows whether there is such a user.
 */
export function listUserPosts({
  reads,
  cursors,
  users,
}: Pick<Context, "reads" | "cursors" | "users">): PostHandlers["listUserPosts"] {
  return async (request, call) => {
    const userId = validId("userId", request.userId);
    const page = await readPage(cursors, `posts:${userId}`, request, (before, limit) =>
      findPostsOf(reads.of(call), userId, before, limit),
    );
    if (page.rows.length === 0 && request.cursor === "" && !(await users.exists(userId, call))) {
      throw notFound("user", userId);
    }
    return { posts: page.rows.map(postMessage), nextCursor: page.nextCursor };
  };
}
