import assert from "node:assert/strict";
import fc from "fast-check";
import { Redis } from "ioredis";
import { type FeedProcess, localFeedProcess } from "../feed-process.ts";
import { createGates } from "../gates.ts";
import { contentOf, localPeers } from "../peers.ts";
import { createTestClock } from "../test-clock.ts";
import { World } from "../world.ts";
import { history, replays } from "./history.ts";
import { pick, play, type Stage } from "./player.ts";
import { type Step, userIds } from "./step.ts";

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
  /** A logical database that nobody else uses meanwhile. */
  readonly redisUrl: string;
  /** How many random histories. */
  readonly histories: number;
  /** The same number gives the same histories; drawn when undefined. */
  readonly seed?: number;
  /** Whether it looks for a smaller one when it has found a history that does not hold. Default: true. */
  readonly shrinks?: boolean;
  /** Called when another one has been found to hold. */
  readonly played?: () => void;
}

/**
 * Plays random histories to two feed processes, with readers scrolling in between, and when all events are applied
 * compares every page of every reader with graph × posts, sorted. Rejects with the smallest history that it finds
 * for which that does not hold.
 */
export async function holdsForAnyHistory(options: AnyHistoryOptions): Promise<void> {
  const redis = new Redis(options.redisUrl);
  try {
    await fc.assert(
      fc.asyncProperty(history, replays, pageSizes, async (steps, late, sizes) => {
        await using stage = await setStage(redis, options.redisUrl);
        await holds(stage, steps, late, sizes);
        options.played?.();
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
  const gates = createGates();
  const clock = createTestClock();
  const world = new World(userIds, thresholds.up, thresholds.down, { clock });
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
  await loseOutboxes(stage.redis);
  await compare(stage, sizes[0]);
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

/** Every page of every reader is the oracle's, and says what it says there. Leaves each timeline built that a page missed. */
async function compare(stage: Stage, pageSize: number): Promise<void> {
  const { world, processes } = stage;
  await Promise.all(
    [...world.users].map((readerId, index) =>
      compareFeed(stage, index % 2 === 0 ? 0 : 1, readerId, pageSize),
    ),
  );
  await Promise.all(processes.map(({ context }) => context.rebuilds.idle()));
}

/** Ends with the first page that is not the oracle's: a feed that repeats itself has no last one. */
async function compareFeed(
  { world, processes }: Stage,
  which: 0 | 1,
  readerId: bigint,
  pageSize: number,
): Promise<void> {
  const feed = world.feedOf(readerId).map((postId) => contentOf(world.versions.get(postId) ?? postId));
  let cursor = "";
  for (let from = 0; from === 0 || from < feed.length; from += pageSize) {
    const { items, nextCursor } = await processes[which].page(readerId, { cursor, pageSize });
    const page = items.map(({ post }) => post!.content);
    assert.deepEqual(page, feed.slice(from, from + pageSize), `the feed of reader ${readerId} from ${from}`);
    assert.equal(nextCursor === "", from + pageSize >= feed.length, `the end of reader ${readerId}'s feed`);
    cursor = nextCursor;
  }
}

async function loseOutboxes(redis: Redis): Promise<void> {
  const keys = await redis.keys("outbox:*");
  if (keys.length > 0) await redis.del(keys);
}
