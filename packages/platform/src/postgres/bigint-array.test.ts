import fc from "fast-check";
import { expect, it } from "vitest";
import { bigintArray } from "./bigint-array.ts";

it("has a header, and each bigint behind its length", () => {
  const bytes = bigintArray([1n, -(2n ** 63n)]);
  expect(bytes?.toString("hex")).toBe(
    ["00000001", "00000000", "00000014", "00000002", "00000001"].join("") +
      ["00000008", "0000000000000001", "00000008", "8000000000000000"].join(""),
  );
});

it("is for lists of bigints alone", () => {
  const others = fc.anything().filter((value) => typeof value !== "bigint");
  fc.assert(
    fc.property(fc.array(fc.bigInt()), others, fc.array(fc.bigInt()), (before, other, after) => {
      expect(bigintArray(other === null || Array.isArray(other) ? null : other)).toBeUndefined();
      expect(bigintArray([...before, other, ...after])).toBeUndefined();
    }),
  );
  expect(bigintArray([])).toBeUndefined();
});
