import { idTimeMs, peerCallOptions } from "@chirrup/platform";
import type { Pace } from "../domain/pace.ts";
import type { Entry } from "../domain/slice.ts";
import type { FeedMetrics } from "../metrics.ts";
import type { CelebrityLog } from "../store/celebrity-log.ts";
import type { AuthorOutboxes } from "../store/author-outbox.ts";
import type { Timelines } from "../store/timeline.ts";
import { type Consumer, unexpected } from "./consumer.ts";
import type { FanOut } from "./fan-out.ts";

export interface PostsConsumerContext {
  readonly homes: Timelines;
  readonly outboxes: AuthorOutboxes;
  readonly celebrityLog: CelebrityLog;
  readonly fanOut: FanOut;
  readonly metrics: FeedMetrics;
  /** Readers in one pipeline. */
  readonly pace: Pace;
}

/** Applies the topic `posts`, keyed by author: a post reaches timelines, or leaves them. */
export function createPostsConsumer(context: PostsConsumerContext): Consumer {
  return async (received, signal) => {
    const { event } = received;
    const options = peerCallOptions({ traceparent: event.traceparent, signal });
    switch (event.payload.case) {
      case "postCreated": {
        await addPost(context, event.eventId, event.payload.value, options);
        context.metrics.deliverySeconds.observe((Date.now() - idTimeMs(event.eventId)) / 1000);
        return;
      }
      case "postDeleted":
        return removePost(context, event.eventId, event.payload.value, options);
      // Timelines hold ids; what a post says is asked for with each page.
      case "postUpdated":
        return;
      default:
        throw unexpected(received);
    }
  };
}

type AuthoredEntry = Entry & { readonly authorId: bigint };
type PeerCall = ReturnType<typeof peerCallOptions>;

/**
 * The author's own home always gets the post, whatever the author's state: authors see their posts first.
 *
 * Whether the post still exists is not asked, and no tombstone is kept. Creation and deletion have one key, the author,
 * so one is applied after the other; only a late replay, or a process that has lost its lease and does not know, may
 * put a deleted post back into a timeline. There it takes a place and is never shown, because a page shows only what
 * the post service still has.
 */
async function addPost(
  { homes, outboxes, celebrityLog, fanOut, metrics, pace }: PostsConsumerContext,
  eventId: bigint,
  entry: AuthoredEntry,
  options: PeerCall,
): Promise<void> {
  const { authorId } = entry;
  const push = async (readerIds: readonly bigint[]): Promise<void> => {
    metrics.deliveries.inc(await homes.push(readerIds, entry));
  };
  // The outbox before the state is read, and before the post is announced: pipeline/celebrity-posts.ts.
  await Promise.all([outboxes.push([authorId], entry), push([authorId])]);
  const announce = (): Promise<void> => celebrityLog.announce(entry);
  await fanOut({ authorId, pace, eventId, deliver: push, announce }, options);
}

/**
 * Saves the timelines' room and the readers' time; what is missed here is never shown either. For that
 * reason a celebrity's followers are not visited.
 */
async function removePost(
  { homes, outboxes, fanOut, pace }: PostsConsumerContext,
  eventId: bigint,
  entry: AuthoredEntry,
  options: PeerCall,
): Promise<void> {
  const { authorId } = entry;
  await Promise.all([outboxes.remove([authorId], entry), homes.remove([authorId], entry)]);
  await fanOut({ authorId, pace, eventId, deliver: (readerIds) => homes.remove(readerIds, entry) }, options);
}
