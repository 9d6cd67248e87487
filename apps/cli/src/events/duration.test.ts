import { describe, expect, it } from "vitest";
import { durationMs } from "./duration.ts";

describe("durationMs", () => {
  it.each([
    ["90s", 90_000],
    ["30m", 1_800_000],
    ["2h", 7_200_000],
    ["1d", 86_400_000],
  ])("reads %s", (text, ms) => expect(durationMs("--since", text)).toBe(ms));

  it.each(["", "2", "h", "0h", "-1h", "2 h", "2w", "1.5h"])("refuses %j by the flag's name", (text) =>
    expect(() => durationMs("--since", text)).toThrow("--since must be a time"),
  );
});
