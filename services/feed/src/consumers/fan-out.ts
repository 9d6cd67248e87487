import type { CallOptions } from "@chirrup/grpc";
import { CelebrityState } from "@chirrup/proto/chirrup/follow/v1/follow_service";
import { chunksOf } from "../domain/chunks.ts";
import type { FollowClient } from "../clients/follow.ts";

export interface FanOutOptions {
  readonly follows: FollowClient;
  /** Followers in one message of the stream. */
  readonly streamPage: number;
  /** Pipelines under way at once. The stream is read no faster than they are done. */
  readonly parallel: number;
}

/** Runs `deliver` on all followers of an author. */
export type FanOut = (
  authorId: bigint,
  batchSize: number,
  options: CallOptions,
  deliver: (followerIds: readonly bigint[]) => Promise<unknown>,
) => Promise<void>;

/**
 * Runs `deliver` on batches of an author's followers. Stops at the first failure, of the stream or of a
 * delivery, and throws it when the deliveries under way have ended: the event is to come again.
 *
 * Followers of a *celebrity* are left alone, since readers merge the outbox. The state is the one that held
 * when the stream began, after what is to be delivered was written; see celebrities.ts for why nothing is
 * lost when it changes.
 */
export function createFanOut({ follows, streamPage, parallel }: FanOutOptions): FanOut {
  return async (authorId, batchSize, options, deliver) => {
    async function* batches(): AsyncGenerator<bigint[]> {
      for await (const { state, followerIds } of follows.streamFollowers(authorId, streamPage, options)) {
        if (state === CelebrityState.CELEBRITY) return;
        yield* chunksOf(followerIds, batchSize);
      }
    }
    await eachInParallel(batches(), parallel, deliver);
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
