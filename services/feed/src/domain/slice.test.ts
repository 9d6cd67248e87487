import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Entry, mergeSlices, newest, type Slice, sliceOf } from "./slice.ts";

const descending = (a: Entry, b: Entry): number => (a.postId < b.postId ? 1 : -1);

/** A world of posts, each in one or more of the sources, and how much each source still knows. */
const sources = fc.uniqueArray(fc.bigInt({ min: 1n, max: 2n ** 63n - 1n }), { maxLength: 40 }).chain((ids) =>
  fc.array(
    fc.record({
      held: fc.subarray(ids),
      floor: fc.oneof(fc.constant(0n), fc.constantFrom(0n, ...ids)),
      limit: fc.integer({ min: 1, max: 10 }),
      before: fc.constant(newest),
    }),
    { minLength: 1, maxLength: 5 },
  ),
);

/** What a source that holds `held` and is complete above `floor` answers. */
function read(held: readonly bigint[], floor: bigint, before: bigint, limit: number): Slice {
  const entries = held
    .filter((postId) => postId > floor && postId < before)
    .map((postId) => ({ postId, authorId: postId % 7n }))
    .sort(descending)
    .slice(0, limit);
  return sliceOf(entries, limit, floor);
}

describe("mergeSlices", () => {
  it("gives the sorted union above its floor, each post once", () => {
    fc.assert(
      fc.property(sources, (all) => {
        const merged = mergeSlices(
          all.map(({ held, floor, before, limit }) => read(held, floor, before, limit)),
        );
        const union = [...new Set(all.flatMap(({ held }) => held))]
          .filter((postId) => postId > merged.floor)
          .map((postId) => ({ postId, authorId: postId % 7n }))
          .sort(descending);
        expect(merged.entries).toEqual(union);
      }),
    );
  });

  it("reads down to the highest floor when it goes on below each slice", () => {
    fc.assert(
      fc.property(sources, (all) => {
        const highest = all.reduce((most, { floor }) => (floor > most ? floor : most), 0n);
        const seen: bigint[] = [];
        for (let before = newest; ;) {
          const { entries, floor } = mergeSlices(
            all.map(({ held, floor, limit }) => read(held, floor, before, limit)),
          );
          if (floor + 1n >= before) break;
          seen.push(...entries.map(({ postId }) => postId));
          before = floor + 1n;
        }
        const expected = [...new Set(all.flatMap(({ held }) => held))].filter((postId) => postId > highest);
        expect(seen).toEqual(expected.sort((a, b) => (a < b ? 1 : -1)));
      }),
    );
  });
});

describe("sliceOf", () => {
  const entries = [9n, 5n].map((postId) => ({ postId, authorId: 1n }));

  it("ends just below the last entry of a full answer", () => {
    expect(sliceOf(entries, 2).floor).toBe(4n);
    expect(sliceOf(entries, 2, 3n).floor).toBe(4n);
  });

  it("ends at the source's own floor when the answer is not full", () => {
    expect(sliceOf(entries, 3).floor).toBe(0n);
    expect(sliceOf(entries, 3, 4n).floor).toBe(4n);
  });
});
