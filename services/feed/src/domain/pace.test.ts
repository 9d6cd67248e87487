import { describe, expect, it } from "vitest";
import { createPace } from "./pace.ts";

describe("the pace", () => {
  it("grows while full pipelines are quick, and shrinks when they are slow, within its bounds", () => {
    const pace = createPace({ least: 100, most: 1_000 });
    const sizes = [1, 1, 1, 1, 20, 60, 60, 60, 60, 60].map((ms) => {
      pace.took(pace.batchSize, ms);
      return pace.batchSize;
    });
    expect(sizes).toEqual([400, 800, 1_000, 1_000, 1_000, 500, 250, 125, 100, 100]);
  });

  it("is not told by a pipeline that was not full", () => {
    const pace = createPace({ least: 100, most: 1_000 });
    pace.took(5, 1);
    expect(pace.batchSize).toBe(200);
  });

  it("goes no higher than the most, however low that is", () => {
    const pace = createPace({ least: 100, most: 3 });
    pace.took(3, 1);
    pace.took(3, 100);
    pace.took(3, 100);
    expect(pace.batchSize).toBe(3);
  });
});
