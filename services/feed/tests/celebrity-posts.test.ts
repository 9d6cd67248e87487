import { openRedisPipeline, type RedisPipeline } from "@chirrup/platform";
import { testLog, testRedis } from "@chirrup/testkit";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type CelebrityPosts, createCelebrityPosts } from "../src/pipeline/celebrity-posts.ts";
import { type AuthorOutboxes, createAuthorOutboxes } from "../src/store/author-outbox.ts";
import { type CelebrityLog, createCelebrityLog } from "../src/store/celebrity-log.ts";

const key = "celebrity-posts";
const [author, other] = [7n, 8n];
const max = 5;

let pipeline: RedisPipeline;
let outboxes: AuthorOutboxes;
let log: CelebrityLog;
let posts: CelebrityPosts;
/** Outboxes that were asked for, and what their answers wait for. */
let asked: bigint[];
let gate: Promise<unknown>;

beforeAll(async () => {
  const { url } = await testRedis();
  pipeline = openRedisPipeline({ url, log: testLog(), name: "test", commandTimeoutMs: 20_000 });
});
afterAll(() => pipeline.close());
beforeEach(async () => {
  await pipeline.call("", ["FLUSHDB"]);
  const redis = { reading: pipeline, writing: pipeline };
  outboxes = createAuthorOutboxes({ ...redis, maxEntries: max, ttlMs: 60_000 });
  log = createCelebrityLog(redis);
  asked = [];
  gate = Promise.resolve();
  const watched: AuthorOutboxes = {
    ...outboxes,
    async read(authorIds, before, limit) {
      asked.push(...authorIds);
      const slices = await outboxes.read(authorIds, before, limit);
      await gate;
      return slices;
    },
  };
  posts = createCelebrityPosts({ outboxes: watched, log, outboxMax: max, maxKept: 100 });
  for (const ownerId of [author, other]) {
    const build = await outboxes.begin(ownerId);
    await outboxes.commit(ownerId, build!, { floor: 0n, entries: [] });
  }
});

/** As a consumer does with a post that it pushes to nobody. */
async function publish(authorId: bigint, postId: bigint): Promise<void> {
  await outboxes.push([authorId], { postId });
  await log.announce({ authorId, postId });
}
async function read(...authorIds: bigint[]): Promise<(bigint[] | undefined)[]> {
  return (await posts.read(authorIds)).map((outbox) => outbox && Array.from(outbox.postIds));
}

describe("posts of celebrities", () => {
  it("are asked for once, and those that come are added", async () => {
    await publish(author, 1n);
    expect(await read(author, other)).toEqual([[1n], []]);
    for (const id of [3n, 2n, 3n]) await publish(author, id);
    expect(await read(other, author)).toEqual([[], [1n, 2n, 3n]]);
    for (const id of [4n, 5n, 6n]) await publish(author, id);
    const [outbox] = await posts.read([author]);
    expect(outbox).toMatchObject({ floor: 1n, postIds: BigInt64Array.of(2n, 3n, 4n, 5n, 6n) });
    expect(asked).toEqual([author, other]);
  });

  it("stay when the outbox is lost, and go with the log", async () => {
    await publish(author, 1n);
    await read(author);
    await outboxes.drop([author]);
    await publish(author, 2n);
    expect(await read(author)).toEqual([[1n, 2n]]);
    await pipeline.call(key, ["DEL", key]);
    expect(await read(author)).toEqual([undefined]);
  });

  it("go with a log that another server made", async () => {
    await publish(author, 1n);
    await read(author);
    const header = String(await pipeline.call(key, ["LINDEX", key, 0]));
    const foreign = header.replace(/:[^:]+$/, ":0123456789abcdef");
    await pipeline.call(key, ["LSET", key, 0, foreign]);
    expect(await read(author)).toEqual([[1n]]);
    expect(asked).toEqual([author, author]);
    expect(await pipeline.call(key, ["LINDEX", key, 0])).not.toBe(foreign);
  });

  it("are asked for anew by who has fallen behind the log's end", async () => {
    await read(author);
    await publish(author, 1n);
    for (let id = 1n; id <= 2_100n; id++) await log.announce({ authorId: other, postId: id });
    expect(await pipeline.call(key, ["LLEN", key])).toBeLessThanOrEqual(2_001);
    expect(await read(author)).toEqual([[1n]]);
    expect(asked).toEqual([author, author]);
    await publish(author, 2n);
    expect(await read(author)).toEqual([[1n, 2n]]);
    expect(asked).toHaveLength(2);
  });

  it("are not kept when one was announced while they were on their way", async () => {
    await read(other);
    const { promise, resolve } = Promise.withResolvers<void>();
    gate = promise;
    const slow = read(author);
    while (asked.length < 2) await new Promise(setImmediate);
    await publish(author, 1n);
    expect(await read(other)).toEqual([[]]);
    resolve();
    expect(await slow).toEqual([[]]);
    expect(await read(author)).toEqual([[1n]]);
  });
});
