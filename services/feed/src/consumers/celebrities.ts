import { CelebrityState } from "@chirrup/proto/chirrup/follow/v1/follow_service";
import { peerCallOptions } from "@chirrup/platform";
import type { FollowClient } from "../clients/follow.ts";
import type { PostClient } from "../clients/post.ts";
import type { Clock } from "../domain/clock.ts";
import type { Pace } from "../domain/pace.ts";
import { newest } from "../domain/slice.ts";
import { outlastMs } from "../pipeline/celebrities.ts";
import type { Timelines } from "../store/timeline.ts";
import { type Consumer, unexpected } from "./consumer.ts";
import type { FanOut } from "./fan-out.ts";

export interface CelebritiesConsumerContext {
  readonly clock: Clock;
  readonly homes: Timelines;
  readonly posts: PostClient;
  readonly follows: FollowClient;
  readonly fanOut: FanOut;
  /** How many posts a home timeline holds. */
  readonly homeMax: number;
  /** Readers in one pipeline; each is sent up to `homeMax` entries. */
  readonly pace: Pace;
}

/**
 * Applies the topic `celebrities`, keyed by author: does what a state waits for, then moves it on. Only
 * *celebrity* skips pushes and only *normal* skips the merge, and neither is next to the other.
 *
 * Rising waits until no process believes the author normal. Each keeps the authors who are not, for a bounded time
 * (pipeline/celebrities.ts); the event came after the state was committed, so by the end of a longer wait all that is
 * kept was asked for after that, and has the author. A fan-out that read *rising* and is still pushing when pushes end
 * does no harm.
 *
 * Falling waits until all home timelines have what was not pushed. A fan-out that read *celebrity* and
 * skipped its pushes did so before the state fell, and its post was written before that; the posts are read
 * here after the fall, so they include it. A fan-out that begins after the fall pushes. Whoever follows
 * while this runs is backfilled by the follow's event; whoever's timeline is built while this runs has the
 * key before (and gets the backfill) or reads the posts after.
 *
 * An event that is late or comes again repeats harmless merges; its epoch is an old one, and the follow
 * service moves nothing. If the author rose again during the backfill, the epoch is old too.
 */
export function createCelebritiesConsumer(context: CelebritiesConsumerContext): Consumer {
  return async (received, signal) => {
    const { event } = received;
    if (event.payload.case !== "celebrityStateChanged") {
      throw unexpected(received);
    }
    const options = peerCallOptions({ traceparent: event.traceparent, signal });
    const { userId, epoch, state } = event.payload.value;
    if (state === CelebrityState.RISING) await context.clock.wait(outlastMs, signal);
    if (state === CelebrityState.FALLING) await backfillFollowers(context, userId, options);
    if (state === CelebrityState.FALLING || state === CelebrityState.RISING) {
      await context.follows.advanceCelebrityState(userId, epoch, options);
    }
  };
}

async function backfillFollowers(
  { homes, posts, fanOut, homeMax, pace }: CelebritiesConsumerContext,
  authorId: bigint,
  options: ReturnType<typeof peerCallOptions>,
): Promise<void> {
  const recent = await posts.listByAuthors([authorId], { before: newest, limit: homeMax }, options);
  // Stops at once when the author is a celebrity again, which is right: this event's epoch is over.
  await fanOut({ authorId, pace, deliver: (readerIds) => homes.backfill(readerIds, recent) }, options);
}
