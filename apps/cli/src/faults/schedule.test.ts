import { describe, expect, it } from "vitest";
import { createRandom } from "../seed/random.ts";
import { scheduleKills } from "./schedule.ts";

const kinds = ["a", "b", "c"];

describe("scheduleKills", () => {
  const turns = scheduleKills(createRandom(7), kinds, 40);

  it("is the same for the same seed", () => {
    expect(scheduleKills(createRandom(7), kinds, 40)).toEqual(turns);
    expect(scheduleKills(createRandom(8), kinds, 40)).not.toEqual(turns);
  });

  it("takes every kind in turn before it draws lots", () => {
    expect(turns.slice(0, 3).map(({ kind, second }) => [kind, second])).toEqual(
      kinds.map((kind) => [kind, undefined]),
    );
    expect(new Set(turns.slice(3).map(({ kind }) => kind))).toEqual(new Set(kinds));
  });

  it("counts both of a pair, which are of two kinds", () => {
    const pairs = turns.filter(({ second }) => second !== undefined);
    expect(pairs.length).toBeGreaterThan(3);
    expect(turns.length + pairs.length).toBe(40);
    expect(pairs.filter(({ kind, second }) => second?.kind === kind)).toEqual([]);
    const lonely = scheduleKills(createRandom(7), kinds, 40, ["b", "c"]);
    expect(lonely).toHaveLength(40);
  });
});
