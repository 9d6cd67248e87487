import type { MessageInitShape } from "@bufbuild/protobuf";
import { timestampOf } from "@chirrup/platform";
import type { PostSchema } from "@chirrup/proto/chirrup/post/v1/post_service";

/** A post as it was written. */
export interface Post {
  readonly id: bigint;
  readonly authorId: bigint;
  readonly content: string;
}

/** A post with what others made of it. */
export interface CountedPost extends Post {
  readonly likeCount: bigint;
  readonly commentCount: bigint;
}

/** A post in its public form. */
export function postMessage({
  id,
  authorId,
  content,
  likeCount,
  commentCount,
}: CountedPost): MessageInitShape<typeof PostSchema> {
  return { id, authorId, content, createdAt: timestampOf(id), likeCount, commentCount };
}
