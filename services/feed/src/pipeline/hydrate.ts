import type { CallOptions } from "@chirrup/grpc";
import type { PostClient } from "../clients/post.ts";
import type { Hydration } from "../domain/page.ts";
import type { Entry } from "../domain/slice.ts";
import type { Profiles } from "./profiles.ts";

export interface HydrateContext {
  readonly posts: PostClient;
  readonly profiles: Profiles;
}

/**
 * Asks the owners about some entries for a reader, one batch each. Authors whom the entries do not name are known with
 * the posts; most of their profiles are kept in this process, so that is one round trip, and sometimes two.
 */
export async function hydrate(
  { posts, profiles }: HydrateContext,
  readerId: bigint,
  entries: readonly Entry[],
  options: CallOptions,
): Promise<Hydration> {
  const postIds = entries.map(({ postId }) => postId);
  const namedIds = new Set(entries.flatMap(({ authorId }) => authorId ?? []));
  const [found, named] = await Promise.all([
    posts.getPosts(postIds, options),
    profiles.get([...namedIds], readerId, options),
  ]);
  const others = new Set([...found.posts.values()].map(({ authorId }) => authorId)).difference(namedIds);
  if (others.size === 0) return { ...found, authors: named };
  const unnamed = await profiles.get([...others], readerId, options);
  return { ...found, authors: new Map([...named, ...unnamed]) };
}
