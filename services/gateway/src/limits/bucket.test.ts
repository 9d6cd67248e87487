import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { takeFrom, type Level, type Size } from "./bucket.ts";

const sizes = fc
  .record({
    limit: fc.integer({ min: 1, max: 1e9 }),
    windowMs: fc.integer({ min: 1, max: 604_800_000 }),
    burst: fc.integer({ min: 1, max: 1e9 }),
  })
  .filter(({ burst, windowMs }) => burst * windowMs <= 2 ** 52);
const steps = fc.array(fc.tuple(fc.integer({ min: -100, max: 100_000 }), fc.integer({ min: 1, max: 50 })), {
  maxLength: 50,
});

/** The same bucket in numbers without an end. */
function exact(size: Size, before: { level: bigint; at: bigint } | undefined, cost: number, now: bigint) {
  const [limit, windowMs, burst] = [BigInt(size.limit), BigInt(size.windowMs), BigInt(size.burst)];
  const full = burst * windowMs;
  const elapsed = before === undefined || now < before.at ? 0n : now - before.at;
  const content = before === undefined ? full : before.level + elapsed * limit;
  const level = content > full ? full : content;
  const price = BigInt(cost) * windowMs;
  return level >= price
    ? { level: level - price, at: now, passes: true }
    : { level: 0n, at: now, passes: false };
}

describe("takeFrom", () => {
  it("is exact: as numbers without an end", () => {
    fc.assert(
      fc.property(sizes, steps, (size, moves) => {
        let now = 1_800_000_000_000;
        let level: Level | undefined;
        let reference: { level: bigint; at: bigint } | undefined;
        for (const [elapsed, cost] of moves) {
          now += elapsed;
          const taken = takeFrom(level, size, cost, now);
          const expected = exact(size, reference, cost, BigInt(now));
          expect(BigInt(taken.after.level)).toBe(expected.level);
          expect(taken.waitMs === 0).toBe(expected.passes);
          level = taken.after;
          reference = expected;
        }
      }),
      { numRuns: 1_000 },
    );
  });

  it("lets pass after the wait that it told, and not a millisecond before", () => {
    fc.assert(
      fc.property(sizes, fc.integer({ min: 1, max: 1000 }), (size, cost) => {
        fc.pre(cost <= size.burst);
        const empty = { level: 0, at: 1000 };
        const { waitMs, after } = takeFrom(empty, size, cost, 1000);
        expect(takeFrom(after, size, cost, 1000 + waitMs).waitMs).toBe(0);
        expect(takeFrom(after, size, cost, 1000 + waitMs - 1).waitMs).toBeGreaterThan(0);
      }),
    );
  });
});
