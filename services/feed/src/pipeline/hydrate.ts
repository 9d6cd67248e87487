import type { CallOptions } from "@chirrup/grpc";
import type { PostClient } from "../clients/post.ts";
import type { Hydration } from "../domain/page.ts";
import type { Entry } from "../domain/slice.ts";
import type { Profiles } from "./profiles.ts";

export interface HydrateContext {
  readonly posts: PostClient;
  readonly profiles: Profiles;
}

/** Asks the owners about some entries for a reader, all at once: one round trip, one batch each. */
export async function hydrate(
  { posts, profiles }: HydrateContext,
  readerId: bigint,
  entries: readonly Entry[],
  options: CallOptions,
): Promise<Hydration> {
  const postIds = entries.map(({ postId }) => postId);
  const authorIds = [...new Set(entries.map(({ authorId }) => authorId))];
  const [found, authors] = await Promise.all([
    posts.getPosts(postIds, options),
    profiles.get(authorIds, readerId, options),
  ]);
  return { ...found, authors };
}
