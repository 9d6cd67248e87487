import { notFound } from "@chirrup/platform";

import type { Context, PostHandlers } from "../context.ts";
import { validId } from "../domain/id.ts";
import { versionMessage } from "../domain/post.ts";
import { readPage } from "../paging.ts";
import { findAuthor } from "../store/post.ts";
import { findVersions } from "../store/post-version.ts";

/** ListPostHistory: what a post says and said, newest first. One round trip, two when it is empty. */
export function listPostHistory({
  postgres,
  reads,
  cursors,
}: Pick<Context, "postgres" | "reads" | "cursors">): PostHandlers["listPostHistory"] {
  return async (request, call) => {
    const postId = validId("postId", request.postId);
    const page = await readPage(cursors, `history:${postId}`, request, (before, limit) =>
      findVersions(reads.of(call), postId, before, limit),
    );
    if (page.rows.length === 0 && (await findAuthor(postgres, postId)) === undefined)
      throw notFound("post", postId);
    return { versions: page.rows.map(versionMessage), nextCursor: page.nextCursor };
  };
}
