import { create } from "@bufbuild/protobuf";
import { appendOutbox, requireCaller, topics, oncePerKey } from "@chirrup/platform";
import { CreatePostResponseSchema, PostService } from "@chirrup/proto/chirrup/post/v1/post_service";

import type { Context, PostHandlers } from "../context.ts";
import { accountGone } from "../domain/account.ts";
import { normalContent } from "../domain/content.ts";
import { postMessage } from "../domain/post.ts";
import { insertPost } from "../store/post.ts";

/** CreatePost: the post and the event that says so, in one transaction. */
export function createPost({ postgres, ids }: Pick<Context, "postgres" | "ids">): PostHandlers["createPost"] {
  return async (request, call) => {
    const authorId = requireCaller(call).userId;
    const content = normalContent(request.content);
    return postgres.transaction((tx) =>
      oncePerKey(tx, call, PostService.method.createPost, request, async () => {
        const post = { id: ids.next(), authorId, content };
        if (!(await insertPost(tx, post))) throw accountGone();
        await appendOutbox(tx, {
          topic: topics.posts,
          key: authorId,
          event: { case: "postCreated", value: { postId: post.id, authorId } },
          eventId: ids.next(),
          traceparent: call.traceparent,
        });
        return create(CreatePostResponseSchema, {
          post: postMessage({ ...post, editId: null, likeCount: 0n, commentCount: 0n }),
        });
      }),
    );
  };
}
