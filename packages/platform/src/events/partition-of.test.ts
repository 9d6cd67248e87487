import { describe, expect, it } from "vitest";
import { murmur2, partitionOf } from "./partition-of.ts";

describe("partitionOf", () => {
  // The vectors of Kafka's own UtilsTest.
  it.each([
    ["21", -973932308],
    ["foobar", -790332482],
    ["a-little-bit-long-string", -985981536],
    ["a-little-bit-longer-string", -1486304829],
    ["lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971],
    ["abc", 479470107],
  ])("hashes %s as Kafka does", (text, hash) => {
    expect(murmur2(new TextEncoder().encode(text))).toBe(hash);
  });

  it("spreads ids evenly", () => {
    const counts = Array.from({ length: 8 }, () => 0);
    for (let i = 0n; i < 8_000n; i++) {
      const partition = partitionOf(String((i << 22n) + 77_000_000_000_000n));
      counts[partition] = (counts[partition] ?? 0) + 1;
    }
    expect(Math.min(...counts)).toBeGreaterThan(850);
    expect(Math.max(...counts)).toBeLessThan(1_150);
  });
});
