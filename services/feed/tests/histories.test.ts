import { GrpcError, Status } from "@chirrup/grpc";
import type { ReceivedEvent } from "@chirrup/platform";
import { testRedis } from "@chirrup/testkit";
import fc from "fast-check";
import { Redis } from "ioredis";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type FeedProcess, startFeedProcess } from "./feed-process.ts";
import { createGates } from "./gates.ts";
import { history, replays, type Step, userIds } from "./history.ts";
import { type Peers, servePeers } from "./peers.ts";
import { World } from "./world.ts";

/** How many random histories one run plays. More of them: HISTORIES=10000 npx vitest run services/feed/tests/histories */
const histories = Number(process.env["HISTORIES"] ?? 300);

const celebrityThreshold = 2;
/** More than a timeline holds, and more than there are posts. */
const pageSizes = fc.tuple(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 25 }));

let world: World;
let redis: Redis;
let peers: Peers;
let processes: readonly [FeedProcess, FeedProcess];
const gates = createGates();

beforeAll(async () => {
  const { url } = await testRedis();
  redis = new Redis(url);
  peers = await servePeers(() => world, gates);
  // Small enough that timelines are trimmed, messages and pipelines are many, and a page needs several reads.
  const settings = {
    HOME_TIMELINE_MAX: "5",
    AUTHOR_OUTBOX_MAX: "3",
    FEED_CHUNK_PAGES: "2",
    FANOUT_STREAM_PAGE: "2",
    FANOUT_BATCH: "1",
    BACKFILL_BATCH: "1",
    FANOUT_PARALLEL: "2",
  };
  const start = (): Promise<FeedProcess> => startFeedProcess(url, peers, settings);
  processes = [await start(), await start()];
});
afterAll(async () => {
  await Promise.all(processes.map((process) => process.close()));
  await peers.close();
  redis.disconnect();
});

/** Plays a history. Work that a step starts goes on beside the steps after it, held up wherever a gate says. */
async function play(steps: readonly Step[]): Promise<void> {
  const running = new Set<Promise<void>>();
  const faults: unknown[] = [];
  const reserved: { authorId: bigint; postId: bigint }[] = [];

  async function start(wait: boolean, work: () => Promise<void>): Promise<void> {
    const held = gates.nextHeld();
    const task = work().finally(() => running.delete(task));
    running.add(task);
    if (wait) await Promise.race([task, held]);
  }
  async function apply(received: ReceivedEvent, process: 0 | 1): Promise<void> {
    try {
      await processes[process].apply(received);
    } catch (error) {
      // The event log delivers it again.
      world.pending.push(received);
      if (!isLostAnswer(error)) faults.push(error);
    }
  }
  async function read(readerId: bigint, process: 0 | 1): Promise<void> {
    try {
      const ids = (await processes[process].page(readerId, { pageSize: 5 })).items.map(
        ({ post }) => post!.id,
      );
      expect(ids).toEqual([...new Set(ids)].sort((a, b) => (a < b ? 1 : -1)));
    } catch (error) {
      if (!isLostAnswer(error)) faults.push(error);
    }
  }

  async function take(step: Step): Promise<void> {
    switch (step.do) {
      case "post":
        world.post(step.user);
        return;
      case "reserve":
        reserved.push({ authorId: step.user, postId: world.nextId() });
        return;
      case "publish": {
        const [late] = reserved.splice(step.nth % Math.max(1, reserved.length), 1);
        if (late !== undefined) world.post(late.authorId, late.postId);
        return;
      }
      case "delete": {
        const postId = pick([...world.posts.keys()], step.nth);
        if (postId !== undefined) world.deletePost(postId);
        return;
      }
      case "follow":
        return world.follow(step.user, step.other);
      case "unfollow":
        return world.unfollow(step.user, step.other);
      case "gather":
        for (const userId of userIds) world.follow(userId, step.user);
        return;
      case "scatter":
        for (const userId of world.followers(step.user).slice(1)) world.unfollow(userId, step.user);
        return;
      case "leave":
        return world.deleteUser(step.user);
      case "deliver": {
        const [received] = world.pending.splice(step.nth % Math.max(1, world.pending.length), 1);
        if (received !== undefined) await start(step.wait, () => apply(received, step.process));
        return;
      }
      case "redeliver": {
        const received = pick(world.log, step.nth);
        if (received !== undefined) await start(step.wait, () => apply(received, step.process));
        return;
      }
      case "read":
        return start(step.wait, async () => {
          await read(step.user, step.process);
          // A build that is held up would hold up this history too.
          if (gates.held() === 0) await processes[step.process].context.rebuilds.idle();
        });
      case "settle":
        // What is held up is not waited for.
        for (let left = world.pending.length; left > 0 && gates.held() === 0; left--) {
          const received = world.pending.shift();
          if (received !== undefined) await start(true, () => apply(received, 0));
        }
        return;
      case "hold":
        return gates.holdNext(step.method);
      case "fail":
        return gates.failNext(step.method);
      case "release":
        return gates.release();
      case "lose":
        await redis.del(`home:{${step.user}}`);
        return;
      case "flush":
        await redis.flushdb();
        return;
      case "evict": {
        const key = pick((await redis.keys("*")).sort(), step.nth);
        if (key !== undefined) await redis.del(key);
        return;
      }
    }
  }

  for (const step of steps) await take(step);
  gates.open();
  while (running.size > 0 || world.pending.length > 0) {
    await Promise.all(running);
    const received = world.pending.shift();
    if (received !== undefined) await apply(received, 0);
    expect(faults).toEqual([]);
  }
}

/** Events that were applied long ago come again. */
async function replay(late: readonly number[]): Promise<void> {
  for (const index of late) {
    const received = pick(world.log, index);
    if (received !== undefined) await processes[1].apply(received);
  }
}

function pick<T>(from: readonly T[], index: number): T | undefined {
  return from[index % from.length];
}

function isLostAnswer(error: unknown): boolean {
  return error instanceof GrpcError && error.code === Status.UNAVAILABLE;
}

/** Every page of every reader is the oracle's. Leaves each timeline built that a page missed. */
async function compare(
  pageSize: number,
  before: () => Promise<unknown> = async () => undefined,
): Promise<void> {
  for (const readerId of userIds) {
    await before();
    const pages = await processes[0].scroll(readerId, pageSize);
    expect({ readerId, pageSize, pages }).toEqual({ readerId, pageSize, pages: pagesOf(readerId, pageSize) });
  }
  await Promise.all(processes.map(({ context }) => context.rebuilds.idle()));
}

async function loseOutboxes(): Promise<void> {
  const keys = await redis.keys("outbox:*");
  if (keys.length > 0) await redis.del(keys);
}

function pagesOf(readerId: bigint, pageSize: number): bigint[][] {
  const feed = world.feedOf(readerId);
  const pages = feed.flatMap((_, index) =>
    index % pageSize === 0 ? [feed.slice(index, index + pageSize)] : [],
  );
  return pages.length === 0 ? [[]] : pages;
}

describe("any history", () => {
  it(
    `leaves every page equal to graph × posts, in ${histories} random ones`,
    { timeout: 60_000 + histories * 1_000 },
    async () => {
      expect.hasAssertions();
      await fc.assert(
        fc.asyncProperty(history, replays, pageSizes, async (steps, late, sizes) => {
          world = new World(userIds, celebrityThreshold);
          await redis.flushdb();
          await play(steps);
          await compare(sizes[0]);
          await replay(late);
          await compare(sizes[1]);
          await compare(sizes[0], loseOutboxes);
        }),
        { numRuns: histories },
      );
    },
  );
});
