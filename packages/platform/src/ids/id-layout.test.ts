import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  composeId,
  EPOCH_MS,
  firstIdAt,
  idTimeMs,
  maxSequence,
  maxTimeMs,
  nodeCount,
  timestampOf,
} from "./id-layout.ts";

const times = fc.integer({ min: EPOCH_MS, max: maxTimeMs });
const nodes = fc.integer({ min: 0, max: nodeCount - 1 });
const sequences = fc.integer({ min: 0, max: maxSequence });
const parts = fc.tuple(times, nodes, sequences);

describe("an id", () => {
  it("is ordered as its time, node and sequence are", () => {
    fc.assert(
      fc.property(parts, parts, (a, b) => {
        const [left, right] = [composeId(...a), composeId(...b)];
        const difference = a[0] - b[0] || a[1] - b[1] || a[2] - b[2];
        expect(left < right ? -1 : left > right ? 1 : 0).toBe(Math.sign(difference));
      }),
    );
  });

  it("holds its time and fits a positive int64", () => {
    fc.assert(
      fc.property(parts, (part) => {
        const id = composeId(...part);
        expect(idTimeMs(id)).toBe(part[0]);
        expect(firstIdAt(part[0])).toBeLessThanOrEqual(id);
        expect(firstIdAt(part[0] + 1)).toBeGreaterThan(id);
        expect(id >= 0n && id < 2n ** 63n).toBe(true);
      }),
    );
    expect(composeId(maxTimeMs, nodeCount - 1, maxSequence)).toBe(2n ** 63n - 1n);
  });

  it("tells its time as a timestamp", () => {
    const id = composeId(EPOCH_MS + 1_234, 5, 6);
    expect(timestampOf(id)).toMatchObject({ seconds: BigInt(EPOCH_MS / 1_000 + 1), nanos: 234_000_000 });
  });

  it("of a time before the epoch would be 0", () => {
    expect(firstIdAt(0)).toBe(0n);
  });
});
