import { describe, expect, it } from "vitest";
import { createRandom } from "../seed/random.ts";
import { scheduleKills } from "./schedule.ts";

const kinds = ["a", "b", "c"];

describe("scheduleKills", () => {
  it("is the same for the same seed, and takes every kind in turn before it draws lots", () => {
    const first = scheduleKills(createRandom(7), kinds, 40);
    expect(scheduleKills(createRandom(7), kinds, 40)).toEqual(first);
    expect(scheduleKills(createRandom(8), kinds, 40)).not.toEqual(first);
    expect(first.slice(0, 3).map(({ kind }) => kind)).toEqual(kinds);
    expect(new Set(first.slice(3).map(({ kind }) => kind))).toEqual(new Set(kinds));
  });
});
