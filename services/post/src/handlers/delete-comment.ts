import { notFound, permissionDenied, requireCaller } from "@chirrup/platform";

import type { Context, PostHandlers } from "../context.ts";
import { validId } from "../domain/id.ts";
import { deleteCommentOf, findCommenter } from "../store/comment.ts";

/** DeleteComment: one of the caller's comments; the post's author may not delete another's. */
export function deleteComment({ postgres }: Pick<Context, "postgres">): PostHandlers["deleteComment"] {
  return async (request, call) => {
    const { userId } = requireCaller(call);
    const commentId = validId("commentId", request.commentId);
    if (await deleteCommentOf(postgres, userId, commentId)) return {};
    const authorId = await findCommenter(postgres, commentId);
    if (authorId === undefined) throw notFound("comment", commentId);
    throw permissionDenied("only its author may delete a comment");
  };
}
