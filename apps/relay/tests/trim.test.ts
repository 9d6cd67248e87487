import { streamKeys } from "@chirrup/platform";
import { testRedis } from "@chirrup/testkit";
import { Redis } from "ioredis";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { trimStreams } from "../src/trim.ts";

describe("trimming", () => {
  let redis: Redis;
  beforeEach(async () => {
    redis = new Redis((await testRedis()).url);
    // Nodes of one entry make "approximately" exact.
    await redis.config("SET", "stream-node-max-entries", "1");
  });
  afterEach(async () => {
    await redis.config("SET", "stream-node-max-entries", "100");
    redis.disconnect();
  });

  const hour = 3_600_000;
  const stream = streamKeys.stream("posts", 0);
  const positions = streamKeys.positions("posts", 0);
  /** Entries that are one hour, two hours … old. */
  async function fill(hours: number): Promise<string[]> {
    const ids = [];
    for (let age = hours; age >= 1; age--)
      ids.push((await redis.xadd(stream, `${Date.now() - age * hour}-7`, "k", "1", "e", "")) ?? "");
    return ids;
  }
  const left = async (): Promise<string[]> => (await redis.xrange(stream, "-", "+")).map(([id]) => id);

  it("stays behind the slowest group", async () => {
    const ids = await fill(6);
    await redis.sadd(streamKeys.groups("posts"), "fast", "slow");
    await redis.hset(positions, { fast: `${ids[4]} 5`, slow: `${ids[1]} 2` });
    expect(await trimStreams(redis, { minRetentionMs: 0, orphanRetentionMs: 0 })).toBe(1);
    expect(await left()).toEqual(ids.slice(1));
  });

  it("leaves everything to a group that has read nothing yet", async () => {
    const ids = await fill(6);
    await redis.sadd(streamKeys.groups("posts"), "fast", "new");
    await redis.hset(positions, { fast: `${ids[5]} 6` });
    await trimStreams(redis, { minRetentionMs: 0, orphanRetentionMs: 0 });
    expect(await left()).toEqual(ids);
  });

  it("keeps what is young although all have read it", async () => {
    const ids = await fill(6);
    await redis.sadd(streamKeys.groups("posts"), "fast");
    await redis.hset(positions, { fast: `${ids[5]} 6` });
    await trimStreams(redis, { minRetentionMs: 3.5 * hour, orphanRetentionMs: 0 });
    expect(await left()).toEqual(ids.slice(3));
  });

  it("drops only what is old from a topic that nobody reads", async () => {
    const ids = await fill(6);
    await trimStreams(redis, { minRetentionMs: 0, orphanRetentionMs: 2.5 * hour });
    expect(await left()).toEqual(ids.slice(4));
  });
});
