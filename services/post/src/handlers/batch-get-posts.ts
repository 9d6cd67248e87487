import type { Context, PostHandlers } from "../context.ts";
import { validIds } from "../domain/id.ts";
import { postMessage } from "../domain/post.ts";
import { findPosts } from "../store/post.ts";

const maxIds = 100;

/** BatchGetPosts: posts in the order asked for, each once, missing ones left out. One round trip. */
export function batchGetPosts({ reads }: Pick<Context, "reads">): PostHandlers["batchGetPosts"] {
  return async (request, call) => {
    const ids = validIds("ids", request.ids, maxIds);
    const rows = await reads.whole(
      call,
      (db) => findPosts(db, ids, call.caller?.userId),
      (posts) => posts.length === ids.length,
    );
    const found = new Map(rows.map((post) => [post.id, post]));
    const posts = ids.flatMap((id) => found.get(id) ?? []);
    return {
      posts: posts.map(postMessage),
      likedIds: posts.filter((post) => post.liked).map((post) => post.id),
    };
  };
}
