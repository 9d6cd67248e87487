import type { MessageInitShape } from "@bufbuild/protobuf";
import { idTimeMs, timestampOf } from "@chirrup/platform";
import type { PostSchema, PostVersionSchema } from "@chirrup/proto/chirrup/post/v1/post_service";

/** A post as it was written. */
export interface Post {
  readonly id: bigint;
  readonly authorId: bigint;
  readonly content: string;
  /** The version that it has since its last edit; null when it was never edited. */
  readonly editId: bigint | null;
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
  editId,
  likeCount,
  commentCount,
}: CountedPost): MessageInitShape<typeof PostSchema> {
  const post = { id, authorId, content, createdAt: timestampOf(id), likeCount, commentCount };
  return editId === null ? post : { ...post, editedAt: timestampOf(editId) };
}

/** What a post said from some moment on. */
export interface PostVersion {
  /** A Snowflake, higher than the versions' before; the first one's is the post's. */
  readonly id: bigint;
  readonly content: string;
}

/** A version in its public form. */
export function versionMessage({ id, content }: PostVersion): MessageInitShape<typeof PostVersionSchema> {
  return { id, content, createdAt: timestampOf(id) };
}

/** Whether a post may still be edited: its lifetime begins with its id's millisecond. */
export function isEditable(postId: bigint, nowMs: number, windowMs: number): boolean {
  return nowMs - idTimeMs(postId) <= windowMs;
}
