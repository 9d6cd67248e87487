import fc from "fast-check";
import { describe, expect, it, vi } from "vitest";

import { coalesce } from "./coalesce.ts";

describe("coalesce", () => {
  it("runs the first at once and those that come meanwhile together, in order, up to the limit", async () => {
    const runs: { items: readonly number[]; end: () => void }[] = [];
    const add = coalesce<number, number>(3, (_key, items) => {
      const { promise, resolve } = Promise.withResolvers<readonly number[]>();
      runs.push({ items, end: () => resolve(items.map((item) => item * 10)) });
      return promise;
    });
    const results = Promise.all([1, 2, 3, 4, 5].map((item) => add(7n, item)));
    const other = add(8n, 6);
    expect(runs.map(({ items }) => items)).toEqual([[1], [6]]);
    runs[1]?.end();
    expect(await other).toBe(60);
    runs[0]?.end();
    await Promise.resolve().then(() => new Promise(setImmediate));
    expect(runs.at(-1)?.items).toEqual([2, 3, 4]);
    runs.at(-1)?.end();
    await new Promise(setImmediate);
    runs.at(-1)?.end();
    expect(await results).toEqual([10, 20, 30, 40, 50]);
  });

  it("leaves a run that is stuck behind after its patience, and gives that run's callers what it answers", async () => {
    const runs: { items: readonly number[]; end: () => void }[] = [];
    const add = coalesce<number, number>(
      3,
      (_key, items) => {
        const { promise, resolve } = Promise.withResolvers<readonly number[]>();
        runs.push({ items, end: () => resolve(items) });
        return promise;
      },
      { patienceMs: 1 },
    );
    const stuck = add(7n, 1);
    const behind = Promise.all([add(7n, 2), add(7n, 3)]);
    await vi.waitFor(() => expect(runs.map(({ items }) => items)).toEqual([[1], [2, 3]]));
    runs[1]?.end();
    expect(await behind).toEqual([2, 3]);
    runs[0]?.end();
    expect(await stuck).toBe(1);
  });

  it("gives each caller its own result, whatever fails, never two runs of a key at once", async () => {
    const calls = fc.array(fc.record({ key: fc.bigInt(1n, 3n), fails: fc.boolean(), gap: fc.nat(2) }), {
      maxLength: 40,
    });
    await fc.assert(
      fc.asyncProperty(calls, fc.integer({ min: 1, max: 5 }), async (plan, maxItems) => {
        const busy = new Set<bigint>();
        const add = coalesce<{ n: number; fails: boolean }, number>(maxItems, async (key, items) => {
          expect(busy.has(key)).toBe(false);
          expect(items.length).toBeLessThanOrEqual(maxItems);
          busy.add(key);
          await new Promise(setImmediate);
          busy.delete(key);
          if (items.some(({ fails }) => fails)) throw new Error("no");
          return items.map(({ n }) => n);
        });
        const outcomes: Promise<PromiseSettledResult<number>[]>[] = [];
        for (const [n, { key, fails, gap }] of plan.entries()) {
          outcomes.push(Promise.allSettled([add(key, { n, fails })]));
          for (let i = 0; i < gap; i++) await new Promise(setImmediate);
        }
        const settled = (await Promise.all(outcomes)).flat();
        const wrong = settled.filter((outcome, n) =>
          outcome.status === "fulfilled" ? plan[n]?.fails || outcome.value !== n : false,
        );
        expect(wrong).toEqual([]);
        expect(settled).toHaveLength(plan.length);
        expect(busy.size).toBe(0);
      }),
      { numRuns: 100 },
    );
  });
});
