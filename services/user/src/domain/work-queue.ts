/** Thrown by `run` when as many calls wait as may. */
export class QueueFull extends Error {
  override readonly name = "QueueFull";
}

/** Runs work with a bounded concurrency and a bounded line, first come, first served. */
export interface WorkQueue {
  /**
   * @param signal - While the work waits, an abort takes it out of the line and rejects with the
   *   signal's reason; work that has begun is not stopped.
   * @throws QueueFull.
   */
  run<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T>;
  /** How many wait. */
  waiting(): number;
  /** How long who joins the line now is going to wait, in milliseconds, by how long work took of late. */
  expectedWaitMs(): number;
}

/** The share of the latest work in how long work takes. */
const newest = 0.2;

/** @param options.now - In milliseconds, never backwards. */
export function createWorkQueue(options: {
  concurrency: number;
  maxWaiting: number;
  now: () => number;
}): WorkQueue {
  const { now } = options;
  const line = new Set<() => void>();
  let running = 0;
  let usualMs = 0;

  function turn(signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const leave = () => {
        line.delete(start);
        reject(signal?.reason as Error);
      };
      const start = () => {
        signal?.removeEventListener("abort", leave);
        resolve();
      };
      line.add(start);
      signal?.addEventListener("abort", leave, { once: true });
    });
  }

  async function run<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    signal?.throwIfAborted();
    if (running < options.concurrency) running++;
    else if (line.size >= options.maxWaiting) throw new QueueFull("the line is full");
    else await turn(signal);
    const startedMs = now();
    try {
      return await work();
    } finally {
      usualMs += newest * (now() - startedMs - usualMs);
      // The place is handed over, not given up: nobody who comes now overtakes the line.
      const [next] = line;
      if (next === undefined) running--;
      else {
        line.delete(next);
        next();
      }
    }
  }

  return {
    run,
    waiting: () => line.size,
    expectedWaitMs: () => (line.size * usualMs) / options.concurrency,
  };
}
