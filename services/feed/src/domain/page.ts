import type { FeedItem } from "@chirrup/proto/chirrup/feed/v1/feed_service";
import type { Post } from "@chirrup/proto/chirrup/post/v1/post_service";
import type { User } from "@chirrup/proto/chirrup/user/v1/user_service";
import type { Followees } from "./followees.ts";
import type { Entry } from "./slice.ts";

/** What the owners of posts and profiles say about some entries. */
export interface Hydration {
  /** Those that exist. */
  readonly posts: ReadonlyMap<bigint, Post>;
  /** Those that the reader likes. */
  readonly likedIds: ReadonlySet<bigint>;
  /** Authors that exist. */
  readonly authors: ReadonlyMap<bigint, User>;
}

/** One item of a page, as the response carries it. */
export type Item = Pick<FeedItem, "liked"> & { readonly post: Post; readonly author: User };

/**
 * Drops what is no longer to be seen: posts that are gone, posts of authors who are gone, and of authors
 * whom the reader does not follow, save their own. What the timelines hold too much of ends here, so
 * they may be late in forgetting.
 */
export function filterItems(
  entries: readonly Entry[],
  hydration: Hydration,
  followees: Pick<Followees, "has">,
  readerId: bigint,
): Item[] {
  const items: Item[] = [];
  for (const { postId } of entries) {
    const post = hydration.posts.get(postId);
    if (post === undefined) continue;
    const { authorId } = post;
    if (authorId !== readerId && !followees.has(authorId)) continue;
    const author = hydration.authors.get(authorId);
    if (author !== undefined) items.push({ post, author, liked: hydration.likedIds.has(postId) });
  }
  return items;
}

/** What a place in a feed is bound to: a position in one reader's feed means nothing in another. */
export function scopeOf(readerId: bigint): string {
  return `feed:${readerId}`;
}

/** A page, and the id that the next one starts below; undefined when this is the last page. */
export interface Page {
  readonly items: readonly Item[];
  readonly nextBefore: bigint | undefined;
}

/** Cuts a page out of visible items, of which there is one more than `size` when the feed goes on. */
export function cutPage(items: readonly Item[], size: number): Page {
  const last = items[size - 1];
  const goesOn = items.length > size && last !== undefined;
  return { items: items.slice(0, size), nextBefore: goesOn ? last.post.id : undefined };
}
