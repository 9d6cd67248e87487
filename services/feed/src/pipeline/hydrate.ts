import type { Hydration } from "../domain/page.ts";
import type { PageCall } from "../domain/page-call.ts";
import type { Entry } from "../domain/slice.ts";
import type { Posts } from "./posts.ts";
import type { Profiles } from "./profiles.ts";

export interface HydrateContext {
  readonly seenPosts: Posts;
  readonly profiles: Profiles;
}

/**
 * Asks the owners about some entries for a reader, one batch each, at the same time where the authors are known: named
 * by the entries, or of posts that are kept. One round trip, and sometimes two.
 */
export async function hydrate(
  { seenPosts, profiles }: HydrateContext,
  readerId: bigint,
  entries: readonly Entry[],
  call: PageCall,
): Promise<Hydration> {
  const postIds: bigint[] = [];
  const authorIds = new Set<bigint>();
  for (const { postId, authorId = seenPosts.authorOf(postId) } of entries) {
    postIds.push(postId);
    if (authorId !== undefined) authorIds.add(authorId);
  }
  const [{ posts, likedIds }, authors] = await Promise.all([
    seenPosts.view(postIds, readerId, call),
    profiles.get(authorIds, readerId, call),
  ]);
  const otherIds = new Set<bigint>();
  for (const { authorId } of posts.values()) if (!authorIds.has(authorId)) otherIds.add(authorId);
  if (otherIds.size === 0) return { posts, likedIds, authors };
  const others = await profiles.get(otherIds, readerId, call);
  return { posts, likedIds, authors: new Map([...authors, ...others]) };
}
