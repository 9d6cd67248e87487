import { type Topic, topics } from "@chirrup/platform";
import type { Config } from "../config.ts";
import type { Context } from "../context.ts";
import { createCelebritiesConsumer } from "./celebrities.ts";
import type { Consumer } from "./consumer.ts";
import { createFanOut } from "./fan-out.ts";
import { createPace } from "../domain/pace.ts";
import { createFollowsConsumer } from "./follows.ts";
import { createPostsConsumer } from "./posts.ts";

/** The consumer of each topic that the feed follows. */
export type Consumers = Readonly<Record<Exclude<Topic, "users">, Consumer>>;

type ConsumerSettings = Pick<
  Config,
  | "FANOUT_STREAM_PAGE"
  | "FANOUT_PARALLEL"
  | "FANOUT_BATCH"
  | "FANOUT_LARGE_FROM"
  | "FANOUT_CHECKPOINT_EVERY"
  | "BACKFILL_BATCH"
>;

/** Pipelines of pushes become no smaller than this, however slow Redis is. */
const leastBatch = 100;

/** The consumers over one context. */
export function createConsumers(context: Context, config: ConsumerSettings): Consumers {
  const fanOut = createFanOut({
    follows: context.follows,
    progress: context.progress,
    streamPage: config.FANOUT_STREAM_PAGE,
    parallel: config.FANOUT_PARALLEL,
    largeFrom: config.FANOUT_LARGE_FROM,
    checkpointEvery: config.FANOUT_CHECKPOINT_EVERY,
  });
  return {
    [topics.posts]: createPostsConsumer({
      ...context,
      fanOut,
      pace: createPace({ least: leastBatch, most: config.FANOUT_BATCH }),
    }),
    [topics.follows]: createFollowsConsumer(context),
    [topics.celebrities]: createCelebritiesConsumer({
      ...context,
      fanOut,
      pace: createPace({ least: config.BACKFILL_BATCH, most: config.BACKFILL_BATCH }),
    }),
  };
}
