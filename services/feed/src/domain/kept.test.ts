import { describe, expect, it } from "vitest";
import { createKept } from "./kept.ts";

describe("what is kept", () => {
  it("costs no more than it may, and what was not used goes first", () => {
    const kept = createKept<number>(10, (cost) => cost);
    kept.keep(1n, 4);
    kept.keep(2n, 4);
    kept.use(1n);
    kept.keep(3n, 2);
    expect([1n, 2n, 3n].map((id) => kept.peek(id))).toEqual([4, 4, 2]);
    kept.keep(4n, 3);
    expect([1n, 2n, 3n, 4n].map((id) => kept.peek(id))).toEqual([4, undefined, 2, 3]);
  });

  it("takes what is new when all was used, and nothing that is too much alone", () => {
    const kept = createKept<number>(3, (cost) => cost);
    for (let id = 1n; id <= 3n; id++) kept.keep(id, 1);
    for (let id = 1n; id <= 3n; id++) kept.use(id);
    kept.keep(4n, 1);
    expect([1n, 2n, 3n, 4n].map((id) => kept.peek(id))).toEqual([undefined, 1, 1, 1]);
    kept.keep(5n, 4);
    expect([2n, 3n, 4n, 5n].map((id) => kept.peek(id))).toEqual([1, 1, 1, undefined]);
  });

  it("counts a value that is replaced once", () => {
    const kept = createKept<number>(10, (cost) => cost);
    for (let cost = 1; cost <= 9; cost++) kept.keep(1n, cost);
    kept.keep(2n, 1);
    expect([kept.use(1n), kept.use(2n)]).toEqual([9, 1]);
    kept.drop(1n);
    kept.keep(3n, 9);
    expect([kept.use(1n), kept.use(2n), kept.use(3n)]).toEqual([undefined, 1, 9]);
  });
});
