import { create } from "@bufbuild/protobuf";
import { notFound, requireCaller, oncePerKey } from "@chirrup/platform";
import { CreateCommentResponseSchema, PostService } from "@chirrup/proto/chirrup/post/v1/post_service";

import type { Context, PostHandlers } from "../context.ts";
import { accountGone } from "../domain/account.ts";
import { commentMessage } from "../domain/comment.ts";
import { normalContent } from "../domain/content.ts";
import { validId } from "../domain/id.ts";
import { insertComment } from "../store/comment.ts";
import { isDeleted } from "../store/deleted-account.ts";

/** CreateComment: the comment and its count, in one transaction. */
export function createComment({
  postgres,
  ids,
}: Pick<Context, "postgres" | "ids">): PostHandlers["createComment"] {
  return async (request, call) => {
    const authorId = requireCaller(call).userId;
    const postId = validId("postId", request.postId);
    const content = normalContent(request.content);
    return postgres.transaction((tx) =>
      oncePerKey(tx, call, PostService.method.createComment, request, async () => {
        const comment = { id: ids.next(), postId, authorId, content };
        if (!(await insertComment(tx, comment))) {
          throw (await isDeleted(tx, authorId)) ? accountGone() : notFound("post", postId);
        }
        return create(CreateCommentResponseSchema, { comment: commentMessage(comment) });
      }),
    );
  };
}
