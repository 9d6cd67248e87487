import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { newestOfOutboxes, type Outbox, outboxOf, withPost } from "./outbox.ts";
import { newest, sliceOf } from "./slice.ts";

/** Neighbours that a double cannot tell apart, and some far below them. */
const postId = fc.oneof(
  fc.integer({ min: 0, max: 60 }).map((n) => 2n ** 60n + BigInt(n)),
  fc.integer({ min: 1, max: 20 }).map(BigInt),
);
const descending = (ids: readonly bigint[]): bigint[] => ids.toSorted((a, b) => (a < b ? 1 : -1));
const entriesOf = (ids: readonly bigint[]): { postId: bigint }[] =>
  descending(ids).map((id) => ({ postId: id }));
const floor = fc.oneof({ weight: 3, arbitrary: fc.constant(0n) }, { weight: 1, arbitrary: postId });

/** Outboxes of authors 1, 2, …; no post is in two. */
const outboxes: fc.Arbitrary<Outbox[]> = fc
  .tuple(
    fc.uniqueArray(fc.tuple(postId, fc.nat(11)), { selector: ([id]) => id, maxLength: 60 }),
    fc.array(floor, { minLength: 1, maxLength: 12 }),
  )
  .map(([posts, floors]) =>
    floors.map((lowest, index) => {
      const mine = posts.filter(([id, owner]) => owner % floors.length === index && id > lowest);
      const entries = entriesOf(mine.map(([id]) => id));
      return outboxOf(BigInt(index + 1), { floor: lowest, entries });
    }),
  );

describe("outboxes", () => {
  it("are merged to the newest of all of them, as far down as each reaches", () => {
    fc.assert(
      fc.property(
        outboxes,
        fc.oneof(postId, fc.constant(newest)),
        fc.integer({ min: 1, max: 30 }),
        (some, before, limit) => {
          const highest = some.reduce((most, { floor: each }) => (each > most ? each : most), 0n);
          const all = some.flatMap(({ authorId, postIds }) =>
            Array.from(postIds, (id) => ({ postId: id, authorId })),
          );
          const expected = all
            .filter((entry) => entry.postId < before && entry.postId > highest)
            .sort((a, b) => (a.postId < b.postId ? 1 : -1))
            .slice(0, limit);
          expect(newestOfOutboxes(some, before, limit)).toEqual(sliceOf(expected, limit, highest));
        },
      ),
    );
  });

  it("take posts in, in any order and repeatedly, and stay complete above their floor", () => {
    fc.assert(
      fc.property(
        fc.array(postId, { maxLength: 30 }),
        floor,
        fc.integer({ min: 1, max: 8 }),
        (posts, lowest, max) => {
          const empty = outboxOf(1n, { floor: lowest, entries: [] });
          const outbox = posts.reduce((filled, id) => withPost(filled, id, max), empty);
          expect(outbox.postIds.length).toBeLessThanOrEqual(max);
          expect(outbox.floor).toBeGreaterThanOrEqual(lowest);
          const expected = descending([...new Set(posts)].filter((id) => id > outbox.floor)).toReversed();
          expect(Array.from(outbox.postIds)).toEqual(expected);
          const wanted = new Set(posts.filter((id) => id > lowest)).size;
          expect(outbox.postIds.length).toBe(Math.min(max, wanted));
        },
      ),
    );
  });
});
