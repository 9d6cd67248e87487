/** Lets a few pieces of work run at once; the others wait in the order in which they came. */
export interface Turns {
  /** Runs the work when it is its turn, and settles as it does. */
  run<T>(work: () => Promise<T>): Promise<T>;
}

/** `most`: how many run at once. */
export function createTurns(most: number): Turns {
  const waiting: (() => void)[] = [];
  let running = 0;
  return {
    async run(work) {
      // A place that is given up is handed to the first who waits, so nobody who comes meanwhile can take it.
      if (running >= most) await new Promise<void>((resolve) => waiting.push(resolve));
      else running += 1;
      try {
        return await work();
      } finally {
        const next = waiting.shift();
        if (next === undefined) running -= 1;
        else next();
      }
    },
  };
}
