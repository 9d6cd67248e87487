import { setImmediate as nextTurn } from "node:timers/promises";

/**
 * The shape of the design that this project began from, without a store: batches of 100 in ten workers, each push a
 * wait of 100 µs. It says how the shape spends its time and nothing of how fast anything is.
 */
export async function simulate(
  followers: number,
): Promise<{ readonly oneByOneMs: number; readonly batchMs: number }> {
  const waitMs = 0.1;
  // Timers are of whole milliseconds.
  const wait = async (): Promise<void> => {
    const until = performance.now() + waitMs;
    while (performance.now() < until) await nextTurn();
  };
  const run = async (push: (batch: number) => Promise<unknown>): Promise<number> => {
    const startMs = performance.now();
    let next = 0;
    await Promise.all(
      Array.from({ length: 10 }, async () => {
        while (next < followers) {
          const batch = Math.min(100, followers - next);
          next += batch;
          await push(batch);
        }
      }),
    );
    return performance.now() - startMs;
  };
  return {
    oneByOneMs: await run(async (batch) => {
      for (let push = 0; push < batch; push += 1) await wait();
    }),
    batchMs: await run(wait),
  };
}
