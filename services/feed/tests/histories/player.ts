import assert from "node:assert/strict";
import { GrpcError, Status } from "@chirrup/grpc";
import type { ReceivedEvent } from "@chirrup/platform";
import type { Redis } from "ioredis";
import type { FeedProcess } from "../feed-process.ts";
import type { Gates } from "../gates.ts";
import type { TestClock } from "../test-clock.ts";
import type { World } from "../world.ts";
import { newcomerIds, type Service, type Step } from "./step.ts";
import { beginScroll, type Scroll } from "./scroll.ts";
import { createSettlement } from "./settlement.ts";

/** Where a history is played. */
export interface Stage {
  readonly world: World;
  readonly gates: Gates;
  readonly clock: TestClock;
  readonly redis: Redis;
  readonly processes: [FeedProcess, FeedProcess];
  /** A process as new. */
  start(): FeedProcess;
}

const longestWaitMs = 5_000;
/** From the making of a post's id to its commit. */
const longestWriteMs = 5_000;

/** Plays a history. Work that a step starts goes on beside the steps after it, held up wherever a gate says. */
export async function play(stage: Stage, steps: readonly Step[]): Promise<void> {
  const { world, gates, clock, redis, processes } = stage;
  const databases = { post: world.postRows, follow: world.followRows };
  const running = new Set<Promise<void>>();
  const faults: unknown[] = [];
  const reserved: { authorId: bigint; postId: bigint; atMs: number }[] = [];
  /** By user: what the device with which they write was given, by service. */
  const devices = new Map<bigint, Map<Service, string>>();
  const leaving: bigint[] = [];
  const scrolls = new Map<bigint, Scroll>();
  const watching = new Set<Scroll>();
  const settlement = createSettlement(world);

  async function start(wait: boolean, work: () => Promise<void>): Promise<void> {
    const stopped = Promise.race([gates.nextHeld(), clock.nextWait()]);
    const task = work().finally(() => running.delete(task));
    running.add(task);
    if (!wait) return;
    const over = Promise.race([task, stopped]);
    // It may wait for what was held up before: then it has so many round trips to get there.
    await (gates.held() > 0 ? severalTurns(redis, over) : over);
  }
  async function apply(received: ReceivedEvent, which: 0 | 1): Promise<void> {
    const process = processes[which];
    try {
      await process.apply(received);
      settlement.applied(received);
    } catch (error) {
      // The event log delivers it again.
      world.pending.push(received);
      if (process === processes[which] && !isLostAnswer(error)) faults.push(error);
    }
  }
  async function readOn(scroll: Scroll, which: 0 | 1, hasTokens: boolean): Promise<void> {
    const process = processes[which];
    const isAlive = (): boolean => process === processes[which];
    const tokens = hasTokens ? [...(devices.get(scroll.readerId)?.values() ?? [])] : [];
    try {
      await scroll.next(process, tokens, isAlive);
    } catch (error) {
      if (isAlive() && !isLostAnswer(error)) faults.push(error);
    }
  }
  function wrote(userId: bigint, service: Service): void {
    const device = devices.get(userId) ?? new Map<Service, string>();
    devices.set(userId, device.set(service, databases[service].token()));
  }
  function from(readerId: bigint, pageSize: number): Scroll {
    const scroll = beginScroll(world, settlement, readerId, pageSize);
    watching.add(scroll);
    return scroll;
  }
  function look(): void {
    for (const scroll of watching) scroll.look();
  }

  async function take(step: Step): Promise<void> {
    switch (step.do) {
      case "register": {
        const userId = newcomerIds.find((id) => !world.users.has(id) && !leaving.includes(id));
        if (userId !== undefined) world.users.add(userId);
        return;
      }
      case "post":
        world.post(step.user);
        return wrote(step.user, "post");
      case "reserve":
        reserved.push({ authorId: step.user, postId: world.nextId(), atMs: clock.nowMs() });
        return;
      case "publish": {
        const [late] = reserved.splice(step.nth % Math.max(1, reserved.length), 1);
        // A transaction that takes longer is ended.
        if (late !== undefined && clock.nowMs() - late.atMs <= longestWriteMs)
          world.post(late.authorId, late.postId);
        return;
      }
      case "edit": {
        const [postId, authorId] = pick([...world.posts], step.nth) ?? [];
        if (postId === undefined || authorId === undefined) return;
        world.editPost(postId);
        return wrote(authorId, "post");
      }
      case "delete": {
        const [postId, authorId] = pick([...world.posts], step.nth) ?? [];
        if (postId === undefined || authorId === undefined) return;
        world.deletePost(postId);
        return wrote(authorId, "post");
      }
      case "follow":
        world.follow(step.user, step.other);
        return wrote(step.user, "follow");
      case "unfollow":
        world.unfollow(step.user, step.other);
        return wrote(step.user, "follow");
      case "gather":
        for (const userId of world.users) world.follow(userId, step.user);
        return;
      case "scatter":
        for (const userId of world.followers(step.user).slice(1)) world.unfollow(userId, step.user);
        return;
      case "leave":
        if (world.users.has(step.user)) leaving.push(step.user);
        return world.deleteUser(step.user);
      case "erase": {
        const userId = leaving.find((id) => world.hasTraces(id));
        if (userId !== undefined) world.erase(userId);
        return;
      }
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
        // Nobody is let in who has no account.
        if (!world.users.has(step.user)) return;
        return start(step.wait, async () => {
          const scroll = from(step.user, 5);
          await readOn(scroll, step.process, step.tokens);
          watching.delete(scroll);
          // A build that is held up would hold up this history too.
          if (gates.held() === 0) await processes[step.process].context.rebuilds.idle();
        });
      case "scroll": {
        if (!world.users.has(step.user)) return;
        const current = scrolls.get(step.user);
        if (current?.isBusy === true) return;
        const scroll = current === undefined || current.isOver ? from(step.user, step.pageSize) : current;
        scrolls.set(step.user, scroll);
        return start(step.wait, () => readOn(scroll, step.process, step.tokens));
      }
      case "settle":
        // What is held up is not waited for.
        for (let left = world.pending.length; left > 0 && gates.held() === 0; left--) {
          const received = world.pending.shift();
          if (received !== undefined) await start(true, () => apply(received, 0));
        }
        return;
      case "tick":
        return clock.pass(step.ms);
      case "lag":
        return databases[step.service].holdUp();
      case "catchUp":
        return databases[step.service].catchUp(step.nth);
      case "crash": {
        const dying = processes[step.process];
        processes[step.process] = stage.start();
        void dying.close();
        return;
      }
      case "hold":
        return gates.holdNext(step.method);
      case "fail":
        return gates.failNext(step.method, step.after);
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

  /** Runs until nothing is left to do; time passes only for those who wait for it. */
  async function drain(): Promise<void> {
    for (const userId of leaving) world.erase(userId);
    look();
    for (;;) {
      const received = world.pending.shift();
      if (received !== undefined) await start(true, () => apply(received, 0));
      else if (clock.waiting() > 0) clock.pass(longestWaitMs);
      else if (running.size > 0) await Promise.race([...running, clock.nextWait()]);
      else return;
      if (faults.length > 0) throw faults[0];
    }
  }

  for (const step of steps) {
    await take(step);
    look();
    if (faults.length > 0) break;
  }
  gates.open();
  await drain();
  for (const scroll of scrolls.values()) {
    look();
    while (!scroll.isOver && faults.length === 0) await readOn(scroll, 1, false);
    await drain();
  }
  for (const database of Object.values(databases)) database.catchUp();
  for (const scroll of scrolls.values()) await countNew(stage, scroll);
}

/** What came since a scroll began is counted as the truth has it. */
async function countNew({ world, processes }: Stage, { readerId, since }: Scroll): Promise<void> {
  if (since === undefined) return;
  const place = processes[0].context.cursors.decode(`feed:${readerId}`, since) ?? 0n;
  const { count } = await processes[0].countNew(readerId, since);
  const expected = world.feedOf(readerId).filter((id) => id > place).length;
  assert.equal(count, expected, `reader ${readerId}: the count of new posts`);
}

/** Round trips to Redis, until something is over. */
async function severalTurns(redis: Redis, over: Promise<unknown>): Promise<void> {
  let isOver = false;
  const ended = over.finally(() => (isOver = true));
  for (let turn = 0; turn < 6 && !isOver; turn++) await Promise.race([ended, redis.ping()]);
}

export function pick<T>(from: readonly T[], index: number): T | undefined {
  return from[index % from.length];
}

function isLostAnswer(error: unknown): boolean {
  return error instanceof GrpcError && error.code === Status.UNAVAILABLE;
}
