import { openRedisPipeline, type RedisPipeline } from "@chirrup/platform";
import { testLog, testRedis } from "@chirrup/testkit";
import fc from "fast-check";
import { Redis } from "ioredis";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type Entry, newest, type Slice } from "../src/domain/slice.ts";
import { createHomeTimelines } from "../src/store/home-timeline.ts";
import { type Build, slackOf, type Timelines, type Version } from "../src/store/timeline.ts";
import { authorOf, descending, TimelineModel } from "./timeline-model.ts";

const maxEntries = 5;
const ttlMs = 60_000;
const owner = 7n;
const key = `home:{${owner}}`;

let redis: Redis;
let pipeline: RedisPipeline;
let homes: Timelines;

beforeAll(async () => {
  const { url } = await testRedis();
  redis = new Redis(url);
  pipeline = openRedisPipeline({ url, log: testLog(), name: "test", commandTimeoutMs: 20_000 });
  homes = createHomeTimelines({ reading: pipeline, writing: pipeline, maxEntries, ttlMs });
});
beforeEach(() => redis.flushdb());
afterAll(() => {
  pipeline.close();
  redis.disconnect();
});

/** Ids of different lengths, and neighbours that a double cannot tell apart. */
const low = 10n ** 18n - 3n;
const entryOf = (postId: bigint): Entry => ({ postId });
const postId = fc.oneof(
  fc.integer({ min: 0, max: 23 }).map((n) => low + BigInt(n)),
  fc.integer({ min: 1, max: 12 }).map(BigInt),
);
const floorId = fc.oneof({ weight: 3, arbitrary: fc.constant(0n) }, { weight: 1, arbitrary: postId });
const slice: fc.Arbitrary<Slice> = fc
  .tuple(fc.uniqueArray(postId, { maxLength: 8 }), floorId)
  .map(([ids, floor]) => ({ floor, entries: descending(ids.filter((id) => id > floor)).map(entryOf) }));

interface State {
  readonly model: TimelineModel;
  readonly builds: { readonly real: Build; readonly life: number }[];
  readonly versions: { readonly real: Version; readonly model: string }[];
}
type Step = (state: State) => Promise<void>;

const pick = fc.nat();
const nothing = fc.constant(undefined);
const steps: fc.Arbitrary<Step> = fc.oneof(
  { weight: 12, arbitrary: postId.map(named("push", pushStep)) },
  { weight: 2, arbitrary: postId.map(named("remove", removeStep)) },
  { weight: 3, arbitrary: nothing.map(named("begin", beginStep)) },
  { weight: 4, arbitrary: fc.tuple(pick, slice).map(named("commit", commitStep)) },
  { weight: 3, arbitrary: slice.map(named("backfill", backfillStep)) },
  { weight: 2, arbitrary: nothing.map(named("version", versionStep)) },
  { weight: 3, arbitrary: fc.tuple(pick, postId).map(named("removePosts", removePostsStep)) },
  { weight: 1, arbitrary: nothing.map(named("flush", flushStep)) },
  {
    weight: 4,
    arbitrary: fc
      .tuple(fc.oneof(postId, fc.constant(newest)), fc.integer({ min: 1, max: 8 }))
      .map(named("read", readStep)),
  },
);

function named<T>(name: string, step: (value: T) => Step): (value: T) => Step {
  return (value) => Object.assign(step(value), { toString: () => `${name}(${fc.stringify(value)})` });
}
function pushStep(id: bigint): Step {
  return async ({ model }) => {
    expect(await homes.push([owner], entryOf(id))).toBe(model.push(id));
    expect(await redis.llen(key)).toBeLessThanOrEqual(maxEntries + slackOf(maxEntries) + 1);
  };
}
function removeStep(id: bigint): Step {
  return async ({ model }) => {
    await homes.remove([owner], entryOf(id));
    model.remove([id]);
  };
}
function beginStep(): Step {
  return async ({ model, builds }) => {
    const [real, life] = [await homes.begin(owner), model.begin()];
    expect(real === undefined).toBe(life === undefined);
    if (real !== undefined && life !== undefined) builds.push({ real, life });
  };
}
function commitStep([index, found]: [number, Slice]): Step {
  return async ({ model, builds }) => {
    const build = builds[index % builds.length];
    if (build === undefined) return;
    expect(await homes.commit(owner, build.real, found)).toBe(model.commit(build.life, found));
  };
}
function backfillStep(posts: Slice): Step {
  return async ({ model }) => {
    await homes.backfill([owner], posts);
    model.merge(posts);
  };
}
function versionStep(): Step {
  return async ({ model, versions }) => {
    const [real, expected] = [await homes.version(owner), model.version()];
    expect(real === undefined).toBe(expected === undefined);
    if (real !== undefined && expected !== undefined) versions.push({ real, model: expected });
  };
}
function removePostsStep([index, id]: [number, bigint]): Step {
  return async ({ model, versions }) => {
    const version = versions[versions.length - 1 - (index % Math.min(2, versions.length))];
    if (version === undefined) return;
    const going = [...(model.kept?.ids ?? []), id].filter((one) => authorOf(one) === authorOf(id));
    const removed = await homes.removePosts(owner, going.map(entryOf), version.real);
    expect(removed).toBe(model.version() === version.model);
    if (removed) model.remove(going);
  };
}
function flushStep(): Step {
  return async ({ model }) => {
    await redis.flushdb();
    model.kept = undefined;
  };
}
function readStep([before, limit]: [bigint, number]): Step {
  return async ({ model }) => {
    const header = await redis.lindex(key, 0);
    expect(header === null).toBe(model.kept === undefined);
    const floor = BigInt(/\d+/.exec(header ?? "0")![0]);
    const kept = model.kept === undefined ? [] : model.follow(floor);
    const ids = kept.filter((id) => id < before).slice(0, limit);
    const lowest = ids[limit - 1];
    const slice = { floor: lowest === undefined ? floor : lowest - 1n, entries: ids.map(entryOf) };
    expect(await homes.read([owner], before, limit)).toEqual([model.kept?.complete ? slice : undefined]);
    expect(await redis.pttl(key)).toBeGreaterThan(header === null ? -3 : 0);
  };
}

async function keep(ownerId: bigint, found: Slice): Promise<void> {
  const build = await homes.begin(ownerId);
  expect(await homes.commit(ownerId, build!, found)).toBe(true);
}

describe("a timeline", () => {
  it("does what its model does, in any order of calls", async () => {
    expect.hasAssertions();
    await fc.assert(
      fc.asyncProperty(fc.array(steps, { maxLength: 80, size: "max" }), async (history) => {
        await redis.flushdb();
        const state: State = { model: new TimelineModel(maxEntries), builds: [], versions: [] };
        for (const step of history) {
          await step(state);
          await readStep([newest, 2 * maxEntries])(state);
        }
      }),
      { numRuns: 60 },
    );
  });

  it("answers each owner in the order asked for", async () => {
    await keep(2n, { floor: 3n, entries: [] });
    expect(await homes.push([1n, 2n, 3n], entryOf(9n))).toBe(1);
    expect(await homes.read([1n, 2n, 3n], newest, 10)).toEqual([
      undefined,
      { floor: 3n, entries: [entryOf(9n)] },
      undefined,
    ]);
  });

  it("is none when another version made it, and then not kept for ever", async () => {
    const former = ["3", "2", "1", "c0:0123456789abcdef:1:0123456789abcdef:3"];
    await redis.rpush(key, ...former);
    expect(await homes.read([owner], newest, 10)).toEqual([undefined]);
    expect(await homes.version(owner)).toBeUndefined();
    await homes.backfill([owner], { floor: 0n, entries: [entryOf(4n)] });
    expect(await redis.lrange(key, 0, -1)).toEqual(former);
    for (let id = 5n; id < 9n; id += 1n) await homes.push([owner], entryOf(id));
    expect(await redis.exists(key)).toBe(0);
    await redis.rpush(key, ...former);
    await keep(owner, { floor: 0n, entries: [entryOf(9n)] });
    expect((await homes.read([owner], newest, 10))[0]!.entries).toEqual([entryOf(9n)]);
  });

  it("holds ids from 1 to 2^63 - 1", async () => {
    const ids = [2n ** 63n - 1n, 2n ** 63n - 2n, 2n ** 53n + 1n, 2n ** 53n, 1n];
    await keep(owner, { floor: 0n, entries: ids.map(entryOf) });
    expect(await homes.read([owner], newest, 10)).toEqual([{ floor: 0n, entries: ids.map(entryOf) }]);
    expect((await homes.read([owner], 2n ** 53n, 10))[0]!.entries).toEqual([entryOf(1n)]);
  });

  it("gives the same page from any place, however its entries came", async () => {
    const large = createHomeTimelines({ reading: pipeline, writing: pipeline, maxEntries: 800, ttlMs });
    const ids = Array.from({ length: 700 }, (_, at) => low + 7n * BigInt(at));
    const build = await large.begin(owner);
    const early = descending(ids.filter((_, at) => at % 3 === 0));
    await large.commit(owner, build!, { floor: low - 1n, entries: early.map(entryOf) });
    for (const id of ids.filter((_, at) => at % 3 === 1)) await large.push([owner], entryOf(id));
    for (const id of descending(ids.filter((_, at) => at % 3 === 2))) await large.push([owner], entryOf(id));
    for (const at of [0, 1, 20, 21, 33, 34, 65, 300, 690, 699, 700]) {
      const before = ids[700 - at] ?? newest;
      const [page] = await large.read([owner], before, 21);
      expect(page!.entries).toEqual(
        descending(ids)
          .slice(at, at + 21)
          .map(entryOf),
      );
    }
  });

  it("keeps its expiry through every write, and puts it off when read", async () => {
    await keep(owner, { floor: 5n, entries: [] });
    await redis.pexpire(key, 1_000);
    await homes.backfill([owner], { floor: 6n, entries: [] });
    for (let id = 9n; id < 30n; id += 1n) await homes.push([owner], entryOf(id));
    await homes.removePosts(owner, [entryOf(29n)], (await homes.version(owner))!);
    await homes.backfill([owner], { floor: 40n, entries: [] });
    expect(await redis.pttl(key)).toBeLessThanOrEqual(1_000);
    expect(await redis.pttl(key)).toBeGreaterThan(0);
    await homes.read([owner], newest, 1);
    expect(await redis.pttl(key)).toBeGreaterThan(ttlMs / 2);
  });

  it("is trimmed by one of the pushes under way, and by a later one when that has failed", async () => {
    const large = createHomeTimelines({ reading: pipeline, writing: pipeline, maxEntries: 800, ttlMs });
    const idsFrom = (first: bigint, count: number): bigint[] =>
      Array.from({ length: count }, (_, at) => first + BigInt(at));
    const push = (ids: readonly bigint[]): Promise<number[]> =>
      Promise.all(ids.map((id) => large.push([owner], entryOf(id))));
    const build = await large.begin(owner);
    const oldest = idsFrom(low, 800);
    await large.commit(owner, build!, { floor: 1n, entries: descending(oldest).map(entryOf) });

    const pushed = idsFrom(low + 800n, slackOf(800) + 9);
    await push(descending(pushed));
    expect(await redis.llen(key)).toBe(1 + 800);
    const newestIds = [...oldest, ...pushed].slice(-800);
    expect(await redis.lrange(key, 1, -1)).toEqual(newestIds.map(String));
    const entries = descending(newestIds).map(entryOf);
    expect(await large.read([owner], newest, 800)).toMatchObject([{ entries }]);

    await redis.rpush(key, ...idsFrom(low + 2_000n, slackOf(800) + 5).map(String));
    await push(idsFrom(low + 3_000n, 8));
    expect(await redis.llen(key)).toBe(1 + 800 + slackOf(800) + 13);
    await push([low + 4_000n]);
    expect(await redis.llen(key)).toBe(1 + 800);
  });

  it("of 800 entries takes no more than 9 KB", async () => {
    const large = createHomeTimelines({ reading: pipeline, writing: pipeline, maxEntries: 800, ttlMs });
    const entries = Array.from({ length: 800 }, (_, at) => entryOf(2n ** 57n - 4_096n * BigInt(at)));
    const build = await large.begin(owner);
    await large.commit(owner, build!, { floor: 1n, entries });
    expect(await redis.memory("USAGE", key)).toBeLessThanOrEqual(9 * 1024);
  });
});
