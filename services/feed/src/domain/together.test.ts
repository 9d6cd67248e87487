import { expect, it } from "vitest";
import { together } from "./together.ts";

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

it("runs what is asked in one turn together, up to the most, in order, and gives each its own result", async () => {
  const runs: (readonly number[])[] = [];
  const ask = together(3, (items: readonly number[]) => {
    runs.push(items);
    return Promise.resolve(items.map((item) => item * 10));
  });
  const answers = Promise.all([1, 2, 3, 4].map(ask));
  await Promise.resolve();
  const late = ask(5);
  expect(runs).toEqual([[1, 2, 3]]);
  expect(await answers).toEqual([10, 20, 30, 40]);
  expect(await late).toBe(50);
  expect(await ask(6)).toBe(60);
  expect(runs).toEqual([[1, 2, 3], [4, 5], [6]]);
});

it("does not wait for the run before", async () => {
  let runs = 0;
  const ask = together(3, () => {
    runs += 1;
    return new Promise<number[]>(() => undefined);
  });
  void ask(1);
  await nextTurn();
  void ask(2);
  await nextTurn();
  expect(runs).toBe(2);
});

it("fails for all when the run fails, or answers another number", async () => {
  const failing = together(3, () => Promise.reject(new Error("no")));
  const outcomes = await Promise.allSettled([failing(1), failing(2)]);
  expect(outcomes.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
  await expect(together(3, () => Promise.resolve([]))(1)).rejects.toThrow("another number");
});
