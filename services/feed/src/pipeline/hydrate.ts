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
  const postIds = entries.map(({ postId }) => postId);
  const namedIds = new Set(
    entries.flatMap(({ postId, authorId }) => authorId ?? seenPosts.authorOf(postId) ?? []),
  );
  const [seen, named] = await Promise.all([
    seenPosts.view(postIds, readerId, call),
    profiles.get([...namedIds], readerId, call),
  ]);
  const others = new Set([...seen.posts.values()].map(({ authorId }) => authorId)).difference(namedIds);
  if (others.size === 0) return { ...seen, authors: named };
  const unnamed = await profiles.get([...others], readerId, call);
  return { ...seen, authors: new Map([...named, ...unnamed]) };
}
