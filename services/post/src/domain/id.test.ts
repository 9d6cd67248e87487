import { describe, expect, it } from "vitest";

import { validId, validIds } from "./id.ts";

describe("validId", () => {
  it("passes ids above zero", () => expect(validId("postId", 1n)).toBe(1n));

  it.each([0n, -1n, -(2n ** 63n)])("refuses %s by the field's name", (id) => {
    expect(() => validId("postId", id)).toThrow(
      expect.objectContaining({ violations: [expect.objectContaining({ field: "postId" })] }),
    );
  });
});

describe("validIds", () => {
  it("keeps the first of each, in order", () =>
    expect(validIds("ids", [3n, 1n, 3n, 2n, 1n], 5)).toEqual([3n, 1n, 2n]));

  it.each([[[]], [[1n, 2n, 3n, 4n]], [[1n, 1n, 1n, 1n]], [[1n, 0n]]])("refuses %s", (ids) => {
    expect(() => validIds("ids", ids, 3)).toThrow(
      expect.objectContaining({ violations: [expect.objectContaining({ field: "ids" })] }),
    );
  });
});
