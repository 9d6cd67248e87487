import { describe, expect, it } from "vitest";
import { createWorkQueue, QueueFull } from "./work-queue.ts";

/** Work that ends when it is told to. */
function job() {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const state = { began: false };
  const work = () => {
    state.began = true;
    return promise;
  };
  return { work, state, end: () => resolve("done"), fail: () => reject(new Error("failed")) };
}

const now = () => performance.now();
const tick = () => new Promise((resolve) => setImmediate(resolve));

describe("createWorkQueue", () => {
  it("runs so many at once, the others in their order", async () => {
    const queue = createWorkQueue({ concurrency: 2, maxWaiting: 10, now });
    const jobs = [job(), job(), job(), job()];
    const results = jobs.map(({ work }) => queue.run(work));
    const began = () => jobs.map(({ state }) => state.began);
    await tick();
    expect([began(), queue.waiting()]).toEqual([[true, true, false, false], 2]);
    jobs[1]?.end();
    await tick();
    expect(began()).toEqual([true, true, true, false]);
    for (const { end } of jobs) end();
    expect(await Promise.all(results)).toEqual(["done", "done", "done", "done"]);
    expect(queue.waiting()).toBe(0);
  });

  it("refuses who comes when the line is full", async () => {
    const queue = createWorkQueue({ concurrency: 1, maxWaiting: 1, now });
    const [first, second, third] = [job(), job(), job()];
    const results = [queue.run(first.work), queue.run(second.work)];
    await expect(queue.run(third.work)).rejects.toThrow(QueueFull);
    expect(third.state.began).toBe(false);
    first.end();
    second.end();
    await Promise.all(results);
    third.end();
    expect(await queue.run(third.work)).toBe("done");
  });

  it("goes on after work that fails", async () => {
    const queue = createWorkQueue({ concurrency: 1, maxWaiting: 1, now });
    const [first, second] = [job(), job()];
    const failed = queue.run(first.work);
    const result = queue.run(second.work);
    first.fail();
    await expect(failed).rejects.toThrow("failed");
    second.end();
    expect(await result).toBe("done");
  });

  it("lets go of who leaves the line, and of nobody else", async () => {
    const queue = createWorkQueue({ concurrency: 1, maxWaiting: 2, now });
    const [first, second, third] = [job(), job(), job()];
    const leaving = new AbortController();
    const one = queue.run(first.work);
    const two = queue.run(second.work, leaving.signal);
    const three = queue.run(third.work);
    leaving.abort(new Error("left"));
    await expect(two).rejects.toThrow("left");
    expect(queue.waiting()).toBe(1);
    first.end();
    third.end();
    expect([await one, await three]).toEqual(["done", "done"]);
    expect(second.state.began).toBe(false);
    await expect(queue.run(second.work, leaving.signal)).rejects.toThrow("left");
  });

  it("tells how long the line is by how long work took of late", async () => {
    let nowMs = 0;
    const queue = createWorkQueue({ concurrency: 2, maxWaiting: 10, now: () => nowMs });
    for (let round = 0; round < 50; round++) {
      await queue.run(async () => {
        nowMs += 100;
      });
    }
    expect(queue.expectedWaitMs()).toBe(0);
    const jobs = Array.from({ length: 8 }, job);
    const results = jobs.map(({ work }) => queue.run(work));
    expect(queue.expectedWaitMs()).toBeCloseTo(300, -1);
    for (const { end } of jobs) end();
    await Promise.all(results);
    expect(queue.expectedWaitMs()).toBe(0);
  });
});
