import { type Logger, peerCallOptions } from "@chirrup/platform";
import type { FollowClient } from "../clients/follow.ts";
import type { PostClient } from "../clients/post.ts";
import { newest, type Slice } from "../domain/slice.ts";
import type { FeedMetrics, RebuildOutcome } from "../metrics.ts";
import type { AuthorOutboxes } from "../store/author-outbox.ts";
import type { Timelines } from "../store/timeline.ts";

export interface RebuildContext {
  readonly homes: Timelines;
  readonly outboxes: AuthorOutboxes;
  readonly posts: PostClient;
  readonly follows: FollowClient;
  readonly metrics: FeedMetrics;
  readonly log: Logger;
  /** Aborted when the process stops. */
  readonly signal: AbortSignal;
  /** How many posts a home timeline and an outbox hold. */
  readonly homeMax: number;
  readonly outboxMax: number;
  /** How many builds run at once. */
  readonly parallel: number;
  readonly timeoutMs: number;
}

/**
 * Builds timelines that reads found missing, behind the reads' backs. One build for each timeline in this
 * process; when too many run, the wish is dropped, and the next read wishes again.
 */
export interface Rebuilds {
  home(readerId: bigint): void;
  outbox(authorId: bigint): void;
  /** Builds one now, beside those that are bounded, and resolves to what became of it. Rejects when it failed. */
  buildHome(readerId: bigint): Promise<RebuildOutcome>;
  /** Resolves when none is under way. */
  idle(): Promise<void>;
}

/**
 * Why a build misses nothing. It creates the key (`begin`), then reads the followees, then their posts, and
 * `commit` works on that very key only. Take a post of an author whom the reader follows:
 * - Written before the posts were read, and followed before the followees were read: it was found.
 * - Written after: its fan-out comes after the key, and reads the followers after that; it lands in the key
 *   if the follow was there by then. A celebrity's does not, and is merged from the outbox until the fall's
 *   backfill, which lands in the key.
 * - Followed after the followees were read, and after a fan-out that did not see the follow: the follow's
 *   backfill comes later than both, lands in the key, and reads the post, which is older than its fan-out.
 * An unfollow that crosses a build may leave the author's posts in the timeline: reading filters them. If
 * the author is followed again, a backfill brings what was not pushed meanwhile.
 * A key that was evicted or flushed after `begin` has lost pushes, so it must not be completed: it has
 * another life, or none. A key left unfinished by a process that died goes on receiving pushes, and the
 * next read finishes the same life. Two processes may do that at once; either's finds will do.
 */
export function createRebuilds(context: RebuildContext): Rebuilds {
  const { homes, outboxes, posts, follows, metrics, log, signal, parallel, timeoutMs } = context;
  const running = new Map<string, Promise<void>>();

  const recentPosts = (authorIds: readonly bigint[], limit: number): Promise<Slice> =>
    posts.listByAuthors(authorIds, { before: newest, limit }, peerCallOptions({ signal, timeoutMs }));

  async function build(
    timelines: Pick<Timelines, "begin" | "commit">,
    ownerId: bigint,
    find: () => Promise<Slice>,
  ): Promise<RebuildOutcome> {
    const begun = await timelines.begin(ownerId);
    if (begun === undefined) return "superseded";
    return (await timelines.commit(ownerId, begun, await find())) ? "built" : "superseded";
  }

  function start(timeline: "home" | "outbox", ownerId: bigint, find: () => Promise<Slice>): void {
    const key = `${timeline}:${ownerId}`;
    if (signal.aborted || running.size >= parallel || running.has(key)) return;
    const task = build(timeline === "home" ? homes : outboxes, ownerId, find)
      .then((outcome) => metrics.rebuilds.inc({ timeline, outcome }))
      .catch((error: unknown) => {
        metrics.rebuilds.inc({ timeline, outcome: "failed" });
        log.warn({ err: error, timeline, ownerId: `${ownerId}` }, "a timeline could not be built");
      })
      .finally(() => running.delete(key));
    running.set(key, task);
  }

  async function findHome(readerId: bigint): Promise<Slice> {
    const followeeIds = await follows.listFollowees(readerId, peerCallOptions({ signal, timeoutMs }));
    return recentPosts([...followeeIds, readerId], context.homeMax);
  }

  return {
    home(readerId) {
      start("home", readerId, () => findHome(readerId));
    },
    async buildHome(readerId) {
      const outcome = await build(homes, readerId, () => findHome(readerId));
      metrics.rebuilds.inc({ timeline: "home", outcome });
      return outcome;
    },
    outbox(authorId) {
      start("outbox", authorId, () => recentPosts([authorId], context.outboxMax));
    },
    async idle() {
      while (running.size > 0) await Promise.all(running.values());
    },
  };
}
