import type { CallOptions } from "@chirrup/grpc";
import { CelebrityState } from "@chirrup/proto/chirrup/follow/v1/follow_service";
import type { FollowClient } from "../clients/follow.ts";
import type { Pace } from "../domain/pace.ts";
import { createTurns, type Turns } from "../domain/turns.ts";
import type { FanOutProgress } from "../store/fan-out-progress.ts";
import { createCheckpoint } from "./checkpoint.ts";

export interface FanOutOptions {
  readonly follows: Pick<FollowClient, "streamFollowers">;
  readonly progress: FanOutProgress;
  /** Followers in one message of the stream. */
  readonly streamPage: number;
  /** Pipelines under way at once for one event. The stream is read no faster than they are done. */
  readonly parallel: number;
  /**
   * From so many followers on, an event's pipelines wait for those of others like it, and nobody else's for them; and
   * it is asked whether an earlier attempt came further. So posts with few followers cost no such question.
   */
  readonly largeFrom: number;
  /** Followers between two checkpoints. */
  readonly checkpointEvery: number;
}

/** What is delivered to an author's followers. */
export interface FanOutJob {
  readonly authorId: bigint;
  /** Readers in one pipeline. */
  readonly pace: Pace;
  /** What a fan-out that was broken off is known by; without, it starts again from the first follower. */
  readonly eventId?: bigint;
  deliver(followerIds: readonly bigint[]): Promise<unknown>;
  /** Done in the place of deliveries when the author is found to be a *celebrity*. */
  readonly announce?: () => Promise<unknown>;
}

/** Runs `deliver` on all followers of an author. */
export type FanOut = (job: FanOutJob, options: CallOptions) => Promise<void>;

/** Followers of one pipeline, and the lane that it waits in. */
interface Batch {
  readonly ids: readonly bigint[];
  readonly turns: Turns;
}

/** Pipelines under way at once for all events together: to their first followers, and to the many. */
const places = { small: 16, large: 4 };

/**
 * Runs `deliver` on batches of an author's followers. Stops at the first failure, of the stream or of a
 * delivery, and throws it when the deliveries under way have ended: the event is to come again.
 *
 * Followers of a *celebrity* are left alone, since readers merge the outbox. The state is the one that held
 * when the stream began, after what is to be delivered was written; see celebrities.ts for why nothing is
 * lost when it changes.
 *
 * Events with many followers have a few places of their own, so no event with few waits behind them; and a server
 * takes pipelines in the order in which they come, so what is ahead of one is bounded by the places.
 *
 * Why a fan-out may go on where another ended. All followers up to the checkpoint were pushed to. Whoever follows
 * since is backfilled by the follow's event, whoever's timeline is built since finds the post, and a server that lost
 * pushes has lost the timelines too (lua/timeline.lua).
 */
export function createFanOut({
  follows,
  progress,
  streamPage,
  parallel,
  largeFrom,
  checkpointEvery,
}: FanOutOptions): FanOut {
  const lanes = { small: createTurns(places.small), large: createTurns(places.large) };

  return async ({ authorId, pace, eventId, deliver, announce }, options) => {
    const checkpoint = createCheckpoint(progress, { eventId, every: checkpointEvery });

    async function* batches(afterId: bigint, isLarge: boolean): AsyncGenerator<Batch> {
      const messages = follows.streamFollowers(authorId, { afterId, pageSize: streamPage }, options);
      let turns = isLarge ? lanes.large : lanes.small;
      let taken = 0;
      let goesOnAfter: bigint | undefined;
      for await (const { state, followerIds } of messages) {
        if (state === CelebrityState.CELEBRITY) {
          await announce?.();
          return;
        }
        for (let at = 0; at < followerIds.length;) {
          const ids = followerIds.slice(at, at + pace.batchSize);
          at += ids.length;
          taken += ids.length;
          checkpoint.take(ids);
          yield { ids, turns };
        }
        if (turns === lanes.large || taken < largeFrom) continue;
        turns = lanes.large;
        const earlier = await checkpoint.read();
        if (earlier <= (followerIds.at(-1) ?? 0n)) continue;
        goesOnAfter = earlier;
        break;
      }
      if (goesOnAfter !== undefined) yield* batches(goesOnAfter, true);
    }
    await eachInParallel(batches(0n, false), parallel, async ({ ids, turns }) => {
      await turns.run(async () => {
        const startMs = performance.now();
        await deliver(ids);
        pace.took(ids.length, performance.now() - startMs);
      });
      await checkpoint.done(ids);
    });
    await checkpoint.end();
  };
}

async function eachInParallel<T>(
  items: AsyncGenerator<T>,
  parallel: number,
  work: (item: T) => Promise<unknown>,
): Promise<void> {
  async function worker(): Promise<void> {
    for (;;) {
      const next = await items.next();
      if (next.done === true) return;
      await work(next.value);
    }
  }
  const workers = Array.from({ length: parallel }, worker);
  try {
    await Promise.all(workers);
  } finally {
    // Ends the other workers when one has failed; does nothing when all are through.
    await items.return(undefined);
    await Promise.allSettled(workers);
  }
}
