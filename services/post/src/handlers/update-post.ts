import { create } from "@bufbuild/protobuf";
import {
  appendOutbox,
  failedPrecondition,
  notFound,
  permissionDenied,
  requireCaller,
  topics,
  oncePerKey,
} from "@chirrup/platform";
import { PostService, UpdatePostResponseSchema } from "@chirrup/proto/chirrup/post/v1/post_service";

import type { Context, PostHandlers } from "../context.ts";
import { normalContent } from "../domain/content.ts";
import { validId } from "../domain/id.ts";
import { isEditable, postMessage } from "../domain/post.ts";
import { lockPost, replaceContent } from "../store/post-version.ts";

/** UpdatePost: the new content, the one before, and the event that says so, in one transaction. */
export function updatePost({
  postgres,
  ids,
  editWindowMs,
}: Pick<Context, "postgres" | "ids" | "editWindowMs">): PostHandlers["updatePost"] {
  return async (request, call) => {
    const { userId } = requireCaller(call);
    const postId = validId("postId", request.postId);
    const content = normalContent(request.content);
    return postgres.transaction((tx) =>
      oncePerKey(tx, call, PostService.method.updatePost, request, async () => {
        const post = await lockPost(tx, postId);
        if (post === undefined) throw notFound("post", postId);
        if (post.authorId !== userId) throw permissionDenied("only its author may edit a post");
        if (!isEditable(postId, Date.now(), editWindowMs)) {
          throw failedPrecondition("POST_TOO_OLD", "the time in which the post could be edited is over");
        }
        if (post.content === content) return create(UpdatePostResponseSchema, { post: postMessage(post) });

        const editId = await replaceContent(tx, postId, { id: ids.next(), content });
        await appendOutbox(tx, {
          topic: topics.posts,
          key: userId,
          event: { case: "postUpdated", value: { postId, authorId: userId, versionId: editId } },
          eventId: ids.next(),
          traceparent: call.traceparent,
        });
        return create(UpdatePostResponseSchema, { post: postMessage({ ...post, content, editId }) });
      }),
    );
  };
}
