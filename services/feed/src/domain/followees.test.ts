import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { followeesOf, mergedAuthors } from "./followees.ts";

const id = fc.bigInt({ min: 1n, max: 2n ** 63n - 1n });
const few = fc.bigInt({ min: 1n, max: 12n });
const ids = fc
  .uniqueArray(fc.oneof(id, few), { maxLength: 40 })
  .map((some) => some.sort((a, b) => (a < b ? -1 : 1)));

describe("followees", () => {
  it("are those they were made of", () => {
    fc.assert(
      fc.property(ids, fc.oneof(id, few), (some, other) => {
        const followees = followeesOf(some);
        expect(followees.ids()).toEqual(some);
        expect(some.every((each) => followees.has(each))).toBe(true);
        expect(followees.has(other)).toBe(some.includes(other));
      }),
    );
  });

  it("are merged when they, or the reader, are celebrities", () => {
    fc.assert(
      fc.property(ids, ids, few, (some, celebrities, readerId) => {
        const merged = mergedAuthors(readerId, followeesOf(some), new Set(celebrities));
        const expected = celebrities.filter((each) => some.includes(each) || each === readerId);
        expect(new Set(merged)).toEqual(new Set(expected));
      }),
    );
  });
});
