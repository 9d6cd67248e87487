import type { MessageInitShape } from "@bufbuild/protobuf";
import { timestampOf } from "@chirrup/platform";
import type { LikeSchema } from "@chirrup/proto/chirrup/post/v1/post_service";

/** That a user likes a post. */
export interface Like {
  readonly id: bigint;
  readonly userId: bigint;
}

/** The most likes of one post that one statement adds or removes: some milliseconds of work. */
export const mostLikesAtOnce = 500;

/** A like in its public form. */
export function likeMessage({ id, userId }: Like): MessageInitShape<typeof LikeSchema> {
  return { id, userId, createdAt: timestampOf(id) };
}
