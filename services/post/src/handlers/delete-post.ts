import { appendOutbox, notFound, permissionDenied, requireCaller, topics } from "@chirrup/platform";

import type { Context, PostHandlers } from "../context.ts";
import { validId } from "../domain/id.ts";
import { deletePostOf, findAuthor } from "../store/post.ts";

/** DeletePost: the post with its comments and likes, and the event that says so, in one transaction. */
export function deletePost({ postgres, ids }: Pick<Context, "postgres" | "ids">): PostHandlers["deletePost"] {
  return async (request, call) => {
    const { userId } = requireCaller(call);
    const postId = validId("postId", request.postId);
    const deleted = await postgres.transaction(async (tx) => {
      if (!(await deletePostOf(tx, userId, postId))) return false;
      await appendOutbox(tx, {
        topic: topics.posts,
        key: userId,
        event: { case: "postDeleted", value: { postId, authorId: userId } },
        eventId: ids.next(),
        traceparent: call.traceparent,
      });
      return true;
    });
    if (deleted) return {};
    const authorId = await findAuthor(postgres, postId);
    if (authorId === undefined) throw notFound("post", postId);
    throw permissionDenied("only its author may delete a post");
  };
}
