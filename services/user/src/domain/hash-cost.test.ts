import { describe, expect, it } from "vitest";
import { isStrongEnough } from "./hash-cost.ts";

describe("isStrongEnough", () => {
  it.each([
    [19_456, 2, true],
    [7_168, 5, true],
    [65_536, 3, true],
    [19_455, 2, false],
    [19_456, 1, false],
    [4_096, 100, false],
  ])("%i KiB and %i passes: %s", (memoryKib, passes, enough) => {
    expect(isStrongEnough({ memoryKib, passes })).toBe(enough);
  });
});
