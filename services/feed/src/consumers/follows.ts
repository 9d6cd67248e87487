import { peerCallOptions } from "@chirrup/platform";
import type { FollowClient } from "../clients/follow.ts";
import type { PostClient } from "../clients/post.ts";
import { newest } from "../domain/slice.ts";
import type { FollowVersions } from "../store/follow-versions.ts";
import type { Timelines } from "../store/timeline.ts";
import { type Consumer, unexpected } from "./consumer.ts";

export interface FollowsConsumerContext {
  readonly homes: Timelines;
  readonly versions: FollowVersions;
  readonly posts: PostClient;
  readonly follows: FollowClient;
  /** How many posts a home timeline holds. */
  readonly homeMax: number;
}

interface Edge {
  readonly followerId: bigint;
  readonly followeeId: bigint;
}

/** The most that the post service gives at once: what a home timeline holds, and more. */
const mostPosts = 1_000;

/** Applies the topic `follows`, keyed by follower: an author's posts reach a home timeline, or leave it. */
export function createFollowsConsumer(context: FollowsConsumerContext): Consumer {
  return async (received, signal) => {
    const { event } = received;
    const options = peerCallOptions({ traceparent: event.traceparent, signal });
    const isFollowed = async ({ followerId, followeeId }: Edge): Promise<boolean> =>
      (await context.follows.filterFollowees(followerId, [followeeId], options)).has(followeeId);
    switch (event.payload.case) {
      case "followCreated":
        await context.versions.drop(event.payload.value.followerId);
        return addAuthor(context, event.payload.value, isFollowed, options);
      case "followDeleted":
        await context.versions.drop(event.payload.value.followerId);
        return removeAuthor(context, event.payload.value, isFollowed, options);
      default:
        throw unexpected(received);
    }
  };
}

/**
 * A reader whose home timeline is not kept needs nothing: one that is built later reads the followees after
 * this moment. Celebrities are backfilled like all: their outbox is merged today, and their fall to normal
 * backfills only those who follow by then.
 */
async function addAuthor(
  { homes, posts, homeMax }: FollowsConsumerContext,
  edge: Edge,
  isFollowed: (edge: Edge) => Promise<boolean>,
  options: ReturnType<typeof peerCallOptions>,
): Promise<void> {
  const { followerId, followeeId } = edge;
  if ((await homes.version(followerId)) === undefined) return;
  if (!(await isFollowed(edge))) return;
  // Also when there are no posts: the backfill moves the version on, which `removePosts` relies on.
  const recent = await posts.listByAuthors([followeeId], { before: newest, limit: homeMax }, options);
  await homes.backfill([followerId], recent);
}

/**
 * Removal is the one step that can take away what a timeline claims to have, so it must not hit an author
 * who is followed again: an event may be applied late, or by a consumer that lost its lease and does not
 * know. The version is read before the edge. Had the author been followed again after the edge was seen to
 * be gone, that follow's backfill either comes after the removal and makes it good, or came between and
 * moved the version, and the removal is refused. A build that saw the new edge moves it in the same way.
 *
 * A timeline does not know whose its posts are, so the author's are asked for. Of more than that many the oldest stay,
 * and are filtered when they are read.
 */
async function removeAuthor(
  { homes, posts }: FollowsConsumerContext,
  edge: Edge,
  isFollowed: (edge: Edge) => Promise<boolean>,
  options: ReturnType<typeof peerCallOptions>,
): Promise<void> {
  const { followerId, followeeId } = edge;
  for (;;) {
    const version = await homes.version(followerId);
    if (version === undefined) return;
    if (await isFollowed(edge)) return;
    const range = { before: newest, limit: mostPosts };
    const { entries } = await posts.listByAuthors([followeeId], range, options);
    if (await homes.removePosts(followerId, entries, version)) return;
  }
}
