import { invalidArgument } from "@chirrup/platform";

import type { Context, PostHandlers } from "../context.ts";
import { validIds } from "../domain/id.ts";
import { postMessage } from "../domain/post.ts";
import { findPostChanges } from "../store/post-view.ts";

/** Some twenty pages of the largest size. */
const maxIds = 2_000;

/**
 * ViewPosts: what has changed of posts that the feed keeps, and which of them its readers like. What it keeps is so
 * never shown without having been compared. One round trip; on a replica another to the primary when something is missing.
 */
export function viewPosts({ reads }: Pick<Context, "reads">): PostHandlers["viewPosts"] {
  return async ({ ids, versionIds, likeCounts, commentCounts, viewers }, call) => {
    if (validIds("ids", ids, maxIds).length < ids.length) {
      throw invalidArgument({ field: "ids", description: "must be different" });
    }
    for (const [field, values] of Object.entries({ versionIds, likeCounts, commentCounts })) {
      if (values.length !== ids.length) {
        throw invalidArgument({ field, description: "must have a value for each of ids" });
      }
    }
    const postIds = viewers.flatMap((viewer) => viewer.postIds);
    if (postIds.length > maxIds) {
      throw invalidArgument({ field: "viewers", description: `must hold at most ${maxIds} posts` });
    }
    const viewerIds = viewers.flatMap((viewer) => viewer.postIds.map(() => viewer.viewerId));
    const { changed, goneIds, liked } = await reads.whole(
      call,
      (db) => findPostChanges(db, { ids, versionIds, likeCounts, commentCounts }, { viewerIds, postIds }),
      (changes) => changes.goneIds.length === 0,
    );
    const likes = Map.groupBy(liked, ({ viewerId }) => viewerId);
    return {
      posts: changed.map(postMessage),
      versionIds: changed.map(({ id, editId }) => editId ?? id),
      goneIds: [...goneIds],
      likes: [...likes].map(([viewerId, of]) => ({ viewerId, postIds: of.map(({ postId }) => postId) })),
    };
  };
}
