import type { MessageInitShape } from "@bufbuild/protobuf";
import { timestampOf } from "@chirrup/platform";
import type { CommentSchema } from "@chirrup/proto/chirrup/post/v1/post_service";

/** A comment on a post. */
export interface Comment {
  readonly id: bigint;
  readonly postId: bigint;
  readonly authorId: bigint;
  readonly content: string;
}

/** A comment in its public form. */
export function commentMessage({
  id,
  postId,
  authorId,
  content,
}: Comment): MessageInitShape<typeof CommentSchema> {
  return { id, postId, authorId, content, createdAt: timestampOf(id) };
}
