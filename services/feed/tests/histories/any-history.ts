import assert from "node:assert/strict";
import fc from "fast-check";
import { Redis } from "ioredis";
import { type FeedProcess, localFeedProcess } from "../feed-process.ts";
import { createGates } from "../gates.ts";
import { localPeers } from "../peers.ts";
import { createTestClock } from "../test-clock.ts";
import { World } from "../world.ts";
import { history, replays, type Step, userIds } from "./history.ts";
import { pick, play, type Stage } from "./player.ts";

/** Small enough that timelines are trimmed, messages and pipelines are many, and a page needs several reads. */
const settings = {
  HOME_TIMELINE_MAX: "5",
  AUTHOR_OUTBOX_MAX: "3",
  FEED_CHUNK_PAGES: "2",
  FANOUT_STREAM_PAGE: "1",
  FANOUT_BATCH: "1",
  BACKFILL_BATCH: "1",
  FANOUT_PARALLEL: "2",
  FANOUT_LARGE_FROM: "1",
  FANOUT_CHECKPOINT_EVERY: "1",
};
/** With a gap, as in production. */
const thresholds = { up: 3, down: 2 };
/** More than a timeline holds, and more than there are posts. */
const pageSizes = fc.tuple(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 25 }));

export interface AnyHistoryOptions {
  readonly redisUrl: string;
  /** How many random histories. */
  readonly histories: number;
  /** The same number gives the same histories; drawn when undefined. */
  readonly seed?: number;
  /** Whether it looks for a smaller one when it has found a history that does not hold. Default: true. */
  readonly shrinks?: boolean;
  readonly progress?: (played: number) => void;
}

/**
 * Plays random histories to two feed processes, with readers scrolling in between, and when all events are applied
 * compares every page of every reader with graph × posts, sorted. Rejects with the smallest history that it finds
 * for which that does not hold.
 */
export async function holdsForAnyHistory(options: AnyHistoryOptions): Promise<void> {
  const redis = new Redis(options.redisUrl);
  let played = 0;
  try {
    await fc.assert(
      fc.asyncProperty(history, replays, pageSizes, async (steps, late, sizes) => {
        await using stage = await setStage(redis, options.redisUrl);
        await holds(stage, steps, late, sizes);
        options.progress?.(++played);
      }),
      {
        numRuns: options.histories,
        endOnFailure: options.shrinks === false,
        ...(options.seed === undefined ? {} : { seed: options.seed }),
      },
    );
  } finally {
    redis.disconnect();
  }
}

async function setStage(redis: Redis, redisUrl: string): Promise<Stage & AsyncDisposable> {
  await redis.flushdb();
  const world = new World(userIds, thresholds.up, thresholds.down);
  const gates = createGates();
  const clock = createTestClock();
  const peers = localPeers(() => world, gates);
  const start = (): FeedProcess => localFeedProcess({ redisUrl, peers, settings, clock });
  const processes: [FeedProcess, FeedProcess] = [start(), start()];
  return {
    world,
    gates,
    clock,
    redis,
    processes,
    start,
    async [Symbol.asyncDispose]() {
      gates.open();
      await Promise.all(processes.map((process) => process.close()));
    },
  };
}

async function holds(
  stage: Stage,
  steps: readonly Step[],
  late: readonly number[],
  sizes: readonly [number, number],
): Promise<void> {
  await play(stage, steps);
  await compare(stage, sizes[0]);
  await replay(stage, late);
  // Now nothing is left of what processes keep for a while, which hides a backfill that did not come.
  stage.clock.pass(60_000);
  await compare(stage, sizes[1]);
  await compare(stage, sizes[0], () => loseOutboxes(stage.redis));
}

/** Events that were applied long ago come again. */
async function replay({ world, processes, clock }: Stage, late: readonly number[]): Promise<void> {
  for (const index of late) {
    const received = pick(world.log, index);
    if (received === undefined) continue;
    const waits = clock.nextWait().then(() => clock.pass(60_000));
    const applied = processes[1].apply(received);
    await Promise.race([applied, waits]);
    await applied;
  }
}

/** Every page of every reader is the oracle's. Leaves each timeline built that a page missed. */
async function compare(
  { world, processes }: Stage,
  pageSize: number,
  before: () => Promise<unknown> = () => Promise.resolve(),
): Promise<void> {
  for (const [index, readerId] of [...world.users].entries()) {
    await before();
    const pages = await processes[index % 2 === 0 ? 0 : 1].scroll(readerId, pageSize);
    assert.deepEqual(pages, pagesOf(world.feedOf(readerId), pageSize), `the feed of reader ${readerId}`);
  }
  await Promise.all(processes.map(({ context }) => context.rebuilds.idle()));
}

async function loseOutboxes(redis: Redis): Promise<void> {
  const keys = await redis.keys("outbox:*");
  if (keys.length > 0) await redis.del(keys);
}

function pagesOf(feed: readonly bigint[], pageSize: number): bigint[][] {
  const pages = feed.flatMap((_, index) =>
    index % pageSize === 0 ? [feed.slice(index, index + pageSize)] : [],
  );
  return pages.length === 0 ? [[]] : pages;
}
