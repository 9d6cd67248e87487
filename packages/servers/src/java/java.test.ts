import { describe, expect, it } from "vitest";
import { findJava, majorVersion } from "./java.ts";

describe("majorVersion", () => {
  it("reads the forms that vendors print", () => {
    expect(majorVersion('openjdk version "17.0.15" 2025-04-15')).toBe(17);
    expect(majorVersion('java version "1.8.0_402"')).toBe(8);
    expect(majorVersion('openjdk version "25" 2025-09-16')).toBe(25);
    expect(majorVersion("no such thing")).toBeUndefined();
  });
});

describe("findJava", () => {
  it("says how to get Java where there is none", async () => {
    await expect(findJava({ PATH: "/nonexistent" })).rejects.toThrow(/Java is missing.*apt-get install/s);
  });
});
