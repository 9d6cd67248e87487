import { describe, expect, it } from "vitest";
import { drawSample } from "./sample.ts";

const readers = Array.from({ length: 500 }, (_, index) => BigInt(index + 1));

describe("a sample", () => {
  it("is the same for the same seed, and another for another", () => {
    const sample = drawSample(readers, "a", 50);
    expect(new Set(sample).size).toBe(50);
    expect(drawSample(readers, "a", 50)).toEqual(sample);
    expect(drawSample(readers, "b", 50)).not.toEqual(sample);
  });

  it("of all is all", () => {
    expect(drawSample(readers, "a", null)).toEqual(readers);
    expect(drawSample(readers, "a", 1_000)).toHaveLength(500);
  });
});
