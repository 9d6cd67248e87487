import type { MessageInitShape } from "@bufbuild/protobuf";
import { coalesce, oncePerKey, outboxPayload, requireCaller } from "@chirrup/platform";
import { type CreatePostResponseSchema, PostService } from "@chirrup/proto/chirrup/post/v1/post_service";

import type { Context, PostHandlers } from "../context.ts";
import { accountGone } from "../domain/account.ts";
import { normalContent } from "../domain/content.ts";
import { postMessage } from "../domain/post.ts";
import { insertPosts, type NewPost } from "../store/new-post.ts";

/** The most posts that are written by one statement; their contents take a few hundred KB at the most. */
const maxTogether = 64;
/** All posts wait in one line, whoever writes them. */
const everyone = 0n;

/**
 * CreatePost: the post and the event that says so, in one statement, which those share that come while another is under
 * way: most of what a post costs is its commit. With an idempotency key it has a transaction of its own.
 */
export function createPost({ postgres, ids }: Pick<Context, "postgres" | "ids">): PostHandlers["createPost"] {
  const insertTogether = coalesce<NewPost, boolean>(maxTogether, (_, posts) => insertPosts(postgres, posts));

  return async (request, call) => {
    const authorId = requireCaller(call).userId;
    const content = normalContent(request.content);

    async function write(
      insert: (post: NewPost) => Promise<boolean | undefined>,
    ): Promise<MessageInitShape<typeof CreatePostResponseSchema>> {
      const [id, eventId] = [ids.next(), ids.next()];
      const event = { case: "postCreated", value: { postId: id, authorId } } as const;
      const payload = outboxPayload({ event, eventId, traceparent: call.traceparent });
      const inserted = await insert({ id, authorId, content, eventId, payload });
      if (inserted !== true) throw accountGone();
      const post = { id, authorId, content, editId: null, likeCount: 0n, commentCount: 0n };
      return { post: postMessage(post) };
    }

    if (call.idempotencyKey === undefined) return write((post) => insertTogether(everyone, post));
    return postgres.transaction((tx) =>
      oncePerKey(tx, call, PostService.method.createPost, request, () =>
        write(async (post) => (await insertPosts(tx, [post]))[0]),
      ),
    );
  };
}
