import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { CelebrityState } from "@chirrup/proto/chirrup/follow/v1/follow_service";
import { openRedisPipeline, type RedisPipeline } from "@chirrup/platform";
import { freePort, type RedisServer, startRedis } from "@chirrup/servers";
import { testLog, testRedis, waitFor } from "@chirrup/testkit";
import { Redis } from "ioredis";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { createFanOut, type FanOut } from "../src/consumers/fan-out.ts";
import { newest } from "../src/domain/slice.ts";
import { createFanOutProgress } from "../src/store/fan-out-progress.ts";
import { createHomeTimelines } from "../src/store/home-timeline.ts";
import type { Timelines } from "../src/store/timeline.ts";

const fixed = (batchSize: number): { batchSize: number; took: () => void } => ({
  batchSize,
  took: () => undefined,
});
const range = (first: number, last: number): bigint[] =>
  Array.from({ length: last - first + 1 }, (_, at) => BigInt(first + at));

/** A fan-out over authors who have as many followers as their id, from 1 on, and where each stream began. */
function fanOutOver(redis: RedisPipeline): { fanOut: FanOut; began: bigint[] } {
  const began: bigint[] = [];
  async function* streamFollowers(
    authorId: bigint,
    { afterId, pageSize }: { afterId: bigint; pageSize: number },
  ) {
    began.push(afterId);
    for (let id = afterId; id < authorId; id += BigInt(pageSize)) {
      const last = id + BigInt(pageSize) < authorId ? id + BigInt(pageSize) : authorId;
      const followerIds = range(Number(id) + 1, Number(last));
      yield await Promise.resolve({ state: CelebrityState.NORMAL, followerIds });
    }
  }
  const progress = createFanOutProgress(redis);
  const fanOut = createFanOut({
    follows: { streamFollowers },
    progress,
    streamPage: 1_000,
    parallel: 4,
    largeFrom: 5_000,
    checkpointEvery: 1_000,
  });
  return { fanOut, began };
}

describe("a fan-out", () => {
  let url: string;
  let redis: RedisPipeline;
  let plain: Redis;
  let homes: Timelines;

  beforeAll(async () => {
    ({ url } = await testRedis());
    plain = new Redis(url);
    redis = openRedisPipeline({ url, log: testLog(), name: "test", commandTimeoutMs: 20_000 });
    homes = createHomeTimelines({ reading: redis, writing: redis, maxEntries: 800, ttlMs: 1e9 });
  });
  beforeEach(() => plain.flushdb());
  afterAll(() => {
    redis.close();
    plain.disconnect();
  });

  it("with many followers holds up nobody with few, though all its places stand still", async () => {
    const { fanOut } = fanOutOver(redis);
    const gate = Promise.withResolvers<void>();
    let standing = 0;
    const large = range(20_001, 20_012).map((authorId) =>
      fanOut(
        {
          authorId,
          pace: fixed(1_000),
          async deliver(ids) {
            if (ids[0]! <= 5_000n) return;
            standing += 1;
            await gate.promise;
          },
        },
        {},
      ),
    );
    await waitFor(() => standing > 0);
    const served: bigint[] = [];
    const small = range(1, 200).map((authorId) =>
      fanOut({ authorId, pace: fixed(1_000), deliver: async (ids) => void served.push(...ids) }, {}),
    );
    await Promise.all(small);
    expect(served.length).toBe((200 * 201) / 2);
    expect(standing).toBe(4);
    gate.resolve();
    await Promise.all(large);
  });

  it("that fails begins again where all before were served", async () => {
    const { fanOut, began } = fanOutOver(redis);
    const served = new Set<bigint>();
    const deliver = (ids: readonly bigint[]): Promise<void> => {
      // Out of order: one batch fails while those after it are done.
      if (ids.includes(31_500n) && began.length === 1) return Promise.reject(new Error("refused"));
      for (const id of ids) served.add(id);
      return Promise.resolve();
    };
    const job = { authorId: 100_000n, eventId: 3n, pace: fixed(1_000), deliver };
    await expect(fanOut(job, {})).rejects.toThrow("refused");
    await fanOut(job, {});
    expect(began).toEqual([0n, 0n, 31_000n]);
    expect(served.size).toBe(100_000);
    expect(await plain.keys("fanout:*")).toEqual([]);
    await fanOut(job, {});
    expect(began.slice(3)).toEqual([0n]);
  });

  it("that is killed in the middle of 100,000 followers goes on in another process, and serves all", async () => {
    const readers = range(1, 100_000).filter((id) => id % 4_999n === 0n);
    for (const reader of readers) {
      const build = await homes.begin(reader);
      await homes.commit(reader, build!, { floor: 0n, entries: [] });
    }
    const start = (how: string): ChildProcess => {
      const program = new URL("fan-out-program.ts", import.meta.url).pathname;
      const child = spawn(process.execPath, ["-C", "source", program, url, how], {
        stdio: ["ignore", "pipe", "inherit"],
      });
      onTestFinished(() => void child.kill("SIGKILL"));
      return child;
    };
    const first = start("stops");
    const firstSaid = text(first.stdout!);
    await waitFor(async () => (await plain.get("fanout:{5}")) === "60000", { timeoutMs: 60_000 });
    first.kill("SIGKILL");
    await once(first, "exit");
    expect(await firstSaid).toBe("from 0\n");
    expect(
      (await homes.read([readers[0]!, readers.at(-1)!], newest, 9)).map((slice) => slice?.entries.length),
    ).toEqual([1, 0]);

    expect(await text(start("runs").stdout!)).toBe("from 0\nfrom 60000\ndone\n");
    const slices = await homes.read(readers, newest, 9);
    expect(slices.map((slice) => slice?.entries)).toEqual(readers.map(() => [{ postId: 7n }]));
    expect(await plain.keys("fanout:*")).toEqual([]);
  });
});

describe("a fan-out whose Redis does not take pushes", () => {
  const readers = range(1, 600);
  let folder: string;
  let server: RedisServer;
  let redis: RedisPipeline;
  let hasty: RedisPipeline;
  let homes: Timelines;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "chirrup-fan-out-"));
    server = await startRedis({ dataDir: folder, port: await freePort(), logFile: join(folder, "log") });
    const open = (commandTimeoutMs: number): RedisPipeline =>
      openRedisPipeline({ url: server.url, log: testLog(), name: "test", commandTimeoutMs });
    redis = open(60_000);
    hasty = open(500);
    homes = createHomeTimelines({ reading: redis, writing: redis, maxEntries: 800, ttlMs: 1e9 });
    await Promise.all(
      readers.map(async (reader) => {
        const build = await homes.begin(reader);
        await homes.commit(reader, build!, { floor: 0n, entries: [] });
      }),
    );
  });
  afterEach(async () => {
    redis.close();
    hasty.close();
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  });

  const deliverAll = (by: RedisPipeline): Promise<void> => {
    const timelines = createHomeTimelines({ reading: by, writing: by, maxEntries: 800, ttlMs: 1e9 });
    const deliver = (ids: readonly bigint[]): Promise<number> => timelines.push(ids, { postId: 9n });
    return fanOutOver(by).fanOut(
      { authorId: BigInt(readers.length), eventId: 1n, pace: fixed(100), deliver },
      {},
    );
  };
  async function holders(): Promise<number> {
    const slices = await homes.read(readers, newest, 9);
    return slices.filter((slice) => slice?.entries.length === 1).length;
  }

  it("fails when it is refused, and has dropped nothing when it comes again", async () => {
    await redis.call("", ["CONFIG", "SET", "maxmemory", "1"]);
    await expect(deliverAll(redis)).rejects.toThrow("OOM");
    await redis.call("", ["CONFIG", "SET", "maxmemory", "0"]);
    await deliverAll(redis);
    expect(await holders()).toBe(readers.length);
  });

  it("goes no faster than a slow one, and drops nothing", async () => {
    await hasty.call("", ["CLIENT", "PAUSE", 100_000, "WRITE"]);
    let underWay = 0;
    let most = 0;
    let started = 0;
    const deliver = async (ids: readonly bigint[]): Promise<void> => {
      started += 1;
      most = Math.max(most, ++underWay);
      await homes.push(ids, { postId: 9n });
      underWay -= 1;
    };
    const { fanOut } = fanOutOver(redis);
    const done = fanOut({ authorId: BigInt(readers.length), pace: fixed(50), deliver }, {});
    await waitFor(() => started === 4);
    await hasty.call("", ["PING"]);
    expect(started).toBe(4);
    await hasty.call("", ["CLIENT", "UNPAUSE"]);
    await done;
    expect([started, most]).toEqual([12, 4]);
    expect(await holders()).toBe(readers.length);
  });

  it("fails when there is no answer, and has dropped nothing when it comes again", async () => {
    process.kill(server.pid, "SIGSTOP");
    await expect(deliverAll(hasty)).rejects.toThrow("500 ms");
    process.kill(server.pid, "SIGCONT");
    await deliverAll(redis);
    expect(await holders()).toBe(readers.length);
  });
});
