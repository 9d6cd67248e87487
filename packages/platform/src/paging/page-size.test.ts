import { describe, expect, it } from "vitest";
import { pageSize } from "./page-size.ts";

describe("pageSize", () => {
  it.each([
    [0, 20],
    [1, 1],
    [100, 100],
    [101, 100],
    [2 ** 31 - 1, 100],
  ])("answers a wish for %i with %i", (requested, size) => {
    expect(pageSize(requested)).toBe(size);
  });

  it("goes by the limits that it is given", () => {
    expect(pageSize(0, { default: 5 })).toBe(5);
    expect(pageSize(50, { max: 10 })).toBe(10);
  });

  it.each([-1, 1.5, Number.NaN, Number.POSITIVE_INFINITY])("refuses %d", (requested) => {
    const violations = [expect.objectContaining({ field: "pageSize" })];
    expect(() => pageSize(requested)).toThrow(expect.objectContaining({ violations }));
  });
});
