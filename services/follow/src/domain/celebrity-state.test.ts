import { CelebrityState } from "@chirrup/proto/chirrup/follow/v1/follow_service";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { afterCount, afterWork, defaultDownThreshold, type Standing } from "./celebrity-state.ts";

const { NORMAL, RISING, CELEBRITY, FALLING } = CelebrityState;

/** The rule at its plainest: which side of the thresholds an author is on, and whether the work for it is done. */
interface Model {
  above: boolean;
  done: boolean;
  changes: bigint;
}

function stateOf({ above, done }: Model): CelebrityState {
  if (above) return done ? CELEBRITY : RISING;
  return done ? NORMAL : FALLING;
}

const thresholds = fc
  .tuple(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 20 }))
  .map(([a, b]) => ({ up: Math.max(a, b), down: Math.min(a, b) }));

const step = fc.oneof(
  fc.record({ kind: fc.constant("count" as const), followers: fc.bigInt(0n, 25n) }),
  fc.record({ kind: fc.constant("work" as const), epochsAgo: fc.bigInt(0n, 2n) }),
);

describe("celebrity state", () => {
  it("equals the model after any history of counts and finished work", () => {
    fc.assert(
      fc.property(thresholds, fc.array(step, { maxLength: 60 }), (limits, steps) => {
        let standing: Standing = { state: NORMAL, epoch: 0n };
        const model: Model = { above: false, done: true, changes: 0n };

        for (const taken of steps) {
          const state =
            taken.kind === "count"
              ? afterCount(standing.state, taken.followers, limits)
              : afterWork(standing, standing.epoch - taken.epochsAgo);
          expect([standing.state, state]).not.toEqual(expect.arrayContaining([NORMAL, CELEBRITY]));
          if (state !== standing.state) standing = { state, epoch: standing.epoch + 1n };

          if (taken.kind === "count") {
            const above = taken.followers >= limits.up || (model.above && taken.followers >= limits.down);
            if (above !== model.above)
              Object.assign(model, { above, done: false, changes: model.changes + 1n });
          } else if (taken.epochsAgo === 0n && !model.done) {
            Object.assign(model, { done: true, changes: model.changes + 1n });
          }
          expect(standing).toEqual({ state: stateOf(model), epoch: model.changes });
        }
      }),
      { numRuns: 500 },
    );
  });

  it("leaves a gap of a tenth below the threshold, and always some number that is below", () => {
    expect(defaultDownThreshold(10_000)).toBe(9_000);
    expect(defaultDownThreshold(2)).toBe(1);
    expect(defaultDownThreshold(1)).toBe(1);
  });
});
