import { notFound } from "@chirrup/platform";

import type { Context, PostHandlers } from "../context.ts";
import { validId } from "../domain/id.ts";
import { postMessage } from "../domain/post.ts";
import { findPosts } from "../store/post.ts";

/** GetPost: a post with its counts, and whether the caller likes it. One round trip. */
export function getPost({ reads }: Pick<Context, "reads">): PostHandlers["getPost"] {
  return async (request, call) => {
    const postId = validId("postId", request.postId);
    const [post] = await reads.whole(
      call,
      (db) => findPosts(db, [postId], call.caller?.userId),
      (found) => found.length > 0,
    );
    if (post === undefined) throw notFound("post", postId);
    return { post: postMessage(post), liked: post.liked };
  };
}
