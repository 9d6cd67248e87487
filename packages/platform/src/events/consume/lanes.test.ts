import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createLanes } from "./lanes.ts";

describe("lanes", () => {
  it("keeps the order within a lane, the limit over all of them, and finishes every item", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat(4), fc.nat(2)), { maxLength: 60 }),
        fc.integer({ min: 1, max: 4 }),
        async (items, concurrency) => {
          const finished = new Map<number, number[]>();
          let running = 0;
          let most = 0;
          let left = items.length;
          await new Promise<void>((resolve) => {
            const lanes = createLanes<{ lane: number; index: number; failures: number }>({
              concurrency,
              run: async ({ lane, index, failures }, attempt) => {
                most = Math.max(most, ++running);
                await new Promise(setImmediate);
                running--;
                if (attempt <= failures) return { retryAfterMs: 0 };
                finished.set(lane, [...(finished.get(lane) ?? []), index]);
                if (--left === 0) resolve();
                return undefined;
              },
            });
            items.forEach(([lane, failures], index) => lanes.push(String(lane), { lane, index, failures }));
            if (items.length === 0) resolve();
          });
          expect(most).toBeLessThanOrEqual(concurrency);
          for (const order of finished.values()) expect(order).toEqual(order.toSorted((a, b) => a - b));
        },
      ),
      { numRuns: 50 },
    );
  });

  it("lets other lanes pass one that fails for ever", async () => {
    const seen: string[] = [];
    await new Promise<void>((resolve) => {
      const lanes = createLanes<string>({
        concurrency: 1,
        run: (item) => {
          if (item === "poison") return Promise.resolve({ retryAfterMs: 1 });
          seen.push(item);
          if (seen.length === 50) {
            lanes.close();
            resolve();
          }
          return Promise.resolve(undefined);
        },
      });
      lanes.push("a", "poison");
      for (let i = 0; i < 50; i++) lanes.push(`b${i}`, String(i));
    });
    expect(seen).toHaveLength(50);
  });
});
