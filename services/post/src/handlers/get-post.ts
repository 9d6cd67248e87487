import { notFound } from "@chirrup/platform";

import type { Context, PostHandlers } from "../context.ts";
import { validId } from "../domain/id.ts";
import { postMessage } from "../domain/post.ts";
import { findPosts } from "../store/post.ts";

/** GetPost: a post with its counts, and whether the caller likes it. One round trip. */
export function getPost({ postgres }: Pick<Context, "postgres">): PostHandlers["getPost"] {
  return async (request, call) => {
    const postId = validId("postId", request.postId);
    const [post] = await findPosts(postgres, [postId], call.caller?.userId);
    if (post === undefined) throw notFound("post", postId);
    return { post: postMessage(post), liked: post.liked };
  };
}
