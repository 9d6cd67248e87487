import type { CallOptions } from "@chirrup/grpc";
import type { FollowClient } from "../clients/follow.ts";
import type { PostClient } from "../clients/post.ts";
import type { UserClient } from "../clients/user.ts";
import type { Hydration } from "../domain/page.ts";
import type { Entry } from "../domain/slice.ts";

export interface HydrateContext {
  readonly posts: PostClient;
  readonly follows: FollowClient;
  readonly users: UserClient;
}

/** Asks the owners about some entries for a reader, all at once: one round trip, one batch each. */
export async function hydrate(
  { posts, follows, users }: HydrateContext,
  readerId: bigint,
  entries: readonly Entry[],
  options: CallOptions,
): Promise<Hydration> {
  const postIds = entries.map(({ postId }) => postId);
  const authorIds = [...new Set(entries.map(({ authorId }) => authorId))];
  const others = authorIds.filter((authorId) => authorId !== readerId);
  const [found, authors, followedIds] = await Promise.all([
    posts.getPosts(postIds, options),
    users.getUsers(authorIds, options),
    others.length === 0 ? new Set<bigint>() : follows.filterFollowees(readerId, others, options),
  ]);
  return { ...found, authors, followedIds };
}
