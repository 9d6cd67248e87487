import { readFileSync } from "node:fs";
import fc from "fast-check";
import { openRedis, type Redis } from "@chirrup/platform";
import { testLog, testRedis } from "@chirrup/testkit";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { takeFrom, type Size } from "../src/limits/bucket.ts";

const script = readFileSync(new URL("../lua/token-bucket.lua", import.meta.url), "utf8");

/** Sizes up to the limit that rules are held to. */
const sizes: fc.Arbitrary<Size> = fc
  .record({
    limit: fc.oneof(fc.integer({ min: 1, max: 1000 }), fc.integer({ min: 1, max: 1e9 })),
    windowMs: fc.oneof(
      fc.constantFrom(1, 1000, 60_000, 86_400_000),
      fc.integer({ min: 1, max: 604_800_000 }),
    ),
    burst: fc.oneof(fc.integer({ min: 1, max: 1000 }), fc.integer({ min: 1, max: 1e9 })),
  })
  .filter(({ burst, windowMs }) => burst * windowMs <= 2 ** 52);

describe("lua/token-bucket.lua", () => {
  let redis: Redis;
  beforeAll(async () => {
    redis = openRedis({ url: (await testRedis()).url, log: testLog(), name: "bucket-test" });
  });
  afterAll(() => redis.disconnect());

  const run = async (key: string, { limit, windowMs, burst }: Size, cost: number): Promise<number[]> =>
    (await redis.eval(script, 1, key, cost, limit, windowMs, burst)) as number[];

  const serverNow = async (): Promise<number> => {
    const [seconds = 0, micros = 0] = await redis.time();
    return seconds * 1000 + Math.floor(micros / 1000);
  };

  it("counts as the local bucket does, to the last unit", async () => {
    const state = fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.integer({ min: -1000, max: 1e9 }));
    await fc.assert(
      fc.asyncProperty(
        sizes,
        fc.option(state),
        fc.integer({ min: 1, max: 2000 }),
        async (size, stored, cost) => {
          const key = "rate:{property}";
          await redis.del(key);
          let before: { level: number; at: number } | undefined;
          if (stored !== null) {
            const [fill, ageMs] = stored;
            before = {
              level: Math.floor(fill * size.burst * size.windowMs),
              at: (await serverNow()) - ageMs,
            };
            await redis.set(key, `${before.level} ${before.at}`);
          }
          const reply = await run(key, size, cost);
          const [level, at] = ((await redis.get(key)) ?? "").split(" ").map(Number);
          if (at === undefined) return; // Full again before it could be read.
          const expected = takeFrom(before, size, cost, at);
          expect(level).toBe(expected.after.level);
          expect(reply).toEqual([expected.left, expected.waitMs, expected.fullMs]);
        },
      ),
      { numRuns: 500 },
    );
  });

  it("takes from a full bucket what it holds, and not one token more", async () => {
    const size = { limit: 1, windowMs: 3_600_000, burst: 10 };
    const waits = await Promise.all(Array.from({ length: 30 }, () => run("rate:{full}", size, 1)));
    expect(waits.filter(([, wait]) => wait === 0)).toHaveLength(10);
  });

  it("gives nothing back when the clock is behind, and everything after a long absence", async () => {
    const size = { limit: 10, windowMs: 60_000, burst: 10 };
    await redis.set("rate:{back}", `0 ${(await serverNow()) + 3_600_000}`);
    expect(await run("rate:{back}", size, 1)).toEqual([0, 6_000, 60_000]);
    await redis.set("rate:{long}", "0 0");
    expect(await run("rate:{long}", size, 1)).toEqual([9, 0, 6_000]);
  });

  it("forgets a bucket when it is full", async () => {
    const size = { limit: 10, windowMs: 1_000, burst: 10 };
    await run("rate:{expiry}", size, 5);
    const ttlMs = await redis.pttl("rate:{expiry}");
    expect(ttlMs).toBeGreaterThan(0);
    expect(ttlMs).toBeLessThanOrEqual(500);
  });

  it("takes what is left from a request that it denies", async () => {
    const size = { limit: 1, windowMs: 60_000, burst: 10 };
    expect(await run("rate:{denied}", size, 8)).toEqual([2, 0, 480_000]);
    expect(await run("rate:{denied}", size, 5)).toEqual([0, 300_000, 600_000]);
    expect((await run("rate:{denied}", size, 1))[1]).toBe(60_000);
  });

  it("keeps buckets apart and answers for each", async () => {
    const args = [1, 10, 1_000, 10, 1, 60_000, 1];
    expect(await redis.eval(script, 2, "rate:{two}:a", "rate:{two}:b", ...args)).toEqual([
      9, 0, 100, 0, 0, 60_000,
    ]);
    const [, waitA, , , waitB] = (await redis.eval(
      script,
      2,
      "rate:{two}:a",
      "rate:{two}:b",
      ...args,
    )) as number[];
    expect([waitA, waitB]).toEqual([0, 60_000]);
  });
});
