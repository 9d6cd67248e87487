import { createHash, randomUUID } from "node:crypto";
import { Redis } from "ioredis";
import fc from "fast-check";
import { testRedis } from "@chirrup/testkit";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type Entry, newest, type Slice } from "../src/domain/slice.ts";
import { createHomeTimelines } from "../src/store/home-timeline.ts";
import { type Script, runScript } from "../src/store/scripts.ts";
import type { Build, Timelines, Version } from "../src/store/timeline.ts";

const maxEntries = 5;
const ttlMs = 60_000;
const owner = 7n;

let redis: Redis;
let homes: Timelines;

beforeAll(async () => {
  redis = new Redis((await testRedis()).url);
  homes = createHomeTimelines({ reading: redis, writing: redis, maxEntries, ttlMs });
});
beforeEach(() => redis.flushdb());
afterAll(() => redis.disconnect());

/** Posts beyond what a double tells apart: neighbours near 2^62. */
const authorOf = (postId: bigint): bigint => (postId % 3n) + 1n;
const entryOf = (postId: bigint): Entry => ({ postId, authorId: authorOf(postId) });
const postId = fc.integer({ min: 1, max: 24 }).map((low) => 2n ** 62n + BigInt(low));
const floorId = fc.oneof(fc.constant(0n), postId);
const slice: fc.Arbitrary<Slice> = fc
  .tuple(fc.uniqueArray(postId, { maxLength: 8 }), floorId)
  .map(([ids, floor]) => ({ floor, entries: descending(ids.filter((id) => id > floor)).map(entryOf) }));

function descending(ids: Iterable<bigint>): bigint[] {
  return [...ids].sort((a, b) => (a < b ? 1 : -1));
}

/** One timeline as it is meant. `life` and `revision` stand for what builds and versions compare. */
class Model {
  kept: { complete: boolean; floor: bigint; ids: Set<bigint>; life: number; revision: number } | undefined;
  #lives = 0;

  begin(): number | undefined {
    if (this.kept?.complete) return undefined;
    this.kept ??= { complete: false, floor: 0n, ids: new Set(), life: ++this.#lives, revision: 0 };
    return this.kept.life;
  }
  push(id: bigint): number {
    if (this.kept === undefined || id <= this.kept.floor || this.kept.ids.has(id)) return 0;
    this.#take([id]);
    return 1;
  }
  remove(id: bigint): void {
    this.kept?.ids.delete(id);
  }
  merge({ floor, entries }: Slice): void {
    if (this.kept === undefined) return;
    if (floor > this.kept.floor) this.kept.floor = floor;
    this.kept.revision++;
    this.#take(entries.map(({ postId }) => postId));
  }
  commit(life: number | undefined, found: Slice): boolean {
    if (this.kept === undefined || this.kept.complete || this.kept.life !== life) return false;
    this.kept.complete = true;
    this.merge(found);
    return true;
  }
  version(): string | undefined {
    return this.kept && `${this.kept.complete} ${this.kept.life} ${this.kept.revision}`;
  }
  removeAuthor(authorId: bigint, version: string | undefined): boolean {
    if (this.kept === undefined || this.version() !== version) return false;
    for (const id of this.kept.ids) if (authorOf(id) === authorId) this.kept.ids.delete(id);
    return true;
  }
  read(before: bigint, limit: number): Slice | undefined {
    if (!this.kept?.complete) return undefined;
    const ids = descending(this.kept.ids)
      .filter((id) => id < before)
      .slice(0, limit);
    const lowest = ids[limit - 1];
    const floor = lowest === undefined ? this.kept.floor : lowest - 1n;
    return { floor, entries: ids.map(entryOf) };
  }
  #take(ids: bigint[]): void {
    const kept = this.kept!;
    const all = descending(new Set([...kept.ids, ...ids])).filter((id) => id > kept.floor);
    kept.ids = new Set(all.slice(0, maxEntries));
    kept.floor = all[maxEntries] ?? kept.floor;
  }
}

interface State {
  readonly model: Model;
  readonly builds: { readonly real: Build; readonly life: number }[];
  readonly versions: { readonly real: Version; readonly model: string }[];
}
type Step = (state: State) => Promise<void>;

const pick = fc.nat();
const steps: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: postId.map(named("push", pushStep)) },
  { weight: 2, arbitrary: postId.map(named("remove", removeStep)) },
  { weight: 4, arbitrary: fc.constant(undefined).map(named("begin", beginStep)) },
  { weight: 4, arbitrary: fc.tuple(pick, slice).map(named("commit", commitStep)) },
  { weight: 3, arbitrary: slice.map(named("backfill", backfillStep)) },
  { weight: 2, arbitrary: fc.constant(undefined).map(named("version", versionStep)) },
  { weight: 3, arbitrary: fc.tuple(pick, postId).map(named("removeAuthor", removeAuthorStep)) },
  { weight: 1, arbitrary: fc.constant(undefined).map(named("flush", flushStep)) },
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
  return async ({ model }) => expect(await homes.push([owner], entryOf(id))).toBe(model.push(id));
}
function removeStep(id: bigint): Step {
  return async ({ model }) => {
    await homes.remove([owner], entryOf(id));
    model.remove(id);
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
function removeAuthorStep([index, id]: [number, bigint]): Step {
  return async ({ model, versions }) => {
    const version = versions[versions.length - 1 - (index % Math.min(2, versions.length))];
    if (version === undefined) return;
    const removed = await homes.removeAuthor(owner, authorOf(id), version.real);
    expect(removed).toBe(model.removeAuthor(authorOf(id), version.model));
  };
}
function flushStep(): Step {
  return async ({ model }) => {
    await redis.flushdb();
    model.kept = undefined;
  };
}
function readStep([before, limit]: [bigint, number]): Step {
  return async ({ model }) =>
    expect(await homes.read([owner], before, limit)).toEqual([model.read(before, limit)]);
}

describe("a timeline", () => {
  it("does what its model does, in any order of calls", async () => {
    expect.hasAssertions();
    await fc.assert(
      fc.asyncProperty(fc.array(steps, { maxLength: 60, size: "max" }), async (history) => {
        await redis.flushdb();
        const state: State = { model: new Model(), builds: [], versions: [] };
        for (const step of history) {
          await step(state);
          await readStep([newest, maxEntries + 1])(state);
        }
      }),
      { numRuns: 300 },
    );
  });

  it("answers each owner in the order asked for", async () => {
    const build = await homes.begin(2n);
    await homes.commit(2n, build!, { floor: 3n, entries: [] });
    expect(await homes.push([1n, 2n, 3n], entryOf(9n))).toBe(1);
    expect(await homes.read([1n, 2n, 3n], newest, 10)).toEqual([
      undefined,
      { floor: 3n, entries: [entryOf(9n)] },
      undefined,
    ]);
  });

  it("holds ids from 1 to 2^63 - 1", async () => {
    const ids = [2n ** 63n - 1n, 2n ** 63n - 2n, 2n ** 53n + 1n, 2n ** 53n, 1n];
    const build = await homes.begin(owner);
    await homes.commit(owner, build!, { floor: 0n, entries: ids.map(entryOf) });
    expect(await homes.read([owner], newest, 10)).toEqual([{ floor: 0n, entries: ids.map(entryOf) }]);
    expect((await homes.read([owner], 2n ** 53n, 10))[0]!.entries).toEqual([entryOf(1n)]);
  });

  it("keeps its expiry through every write, and puts it off when read", async () => {
    const build = await homes.begin(owner);
    await homes.commit(owner, build!, { floor: 5n, entries: [] });
    await homes.backfill([owner], { floor: 6n, entries: [] });
    await redis.pexpire(`home:{${owner}}`, 1_000);
    await homes.push([owner], entryOf(9n));
    expect(await redis.pttl(`home:{${owner}}`)).toBeLessThanOrEqual(1_000);
    expect(await redis.pttl(`home:{${owner}}`)).toBeGreaterThan(0);
    await homes.read([owner], newest, 1);
    expect(await redis.pttl(`home:{${owner}}`)).toBeGreaterThan(ttlMs / 2);
  });
});

describe("runScript", () => {
  it("loads a script that the server does not know, and keeps the order of replies", async () => {
    const source = `-- ${randomUUID()}\nreturn KEYS[1] .. ARGV[1]`;
    const script: Script = { source, sha1: createHash("sha1").update(source).digest("hex") };
    const runs = ["a", "b", "c"].map((key, index) => ({ key, args: [index] }));
    expect(await runScript(redis, script, runs)).toEqual(["a0", "b1", "c2"]);
    expect(await runScript(redis, script, runs)).toEqual(["a0", "b1", "c2"]);
  });

  it("throws what a run threw", async () => {
    const source = "return redis.error_reply('no ' .. KEYS[1])";
    const script = { source, sha1: createHash("sha1").update(source).digest("hex") };
    await expect(runScript(redis, script, [{ key: "a", args: [] }])).rejects.toThrow("no a");
  });
});
