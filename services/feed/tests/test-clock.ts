import { EPOCH_MS } from "@chirrup/platform";
import type { Clock } from "../src/domain/clock.ts";

/** A clock that stands still until it is told otherwise. */
export interface TestClock extends Clock {
  /** Milliseconds since 1970, far enough that a double cannot tell ids of that time apart. */
  unixMs(): number;
  /** Lets time pass, and those go on whose wait is over. */
  pass(ms: number): void;
  /** How many wait. */
  waiting(): number;
  /** Resolves when somebody next begins to wait. */
  nextWait(): Promise<void>;
}

const startUnixMs = EPOCH_MS + 2 ** 40;

export function createTestClock(): TestClock {
  let nowMs = 0;
  let begun = Promise.withResolvers<void>();
  const sleepers = new Set<{ readonly untilMs: number; wake(): void }>();
  return {
    nowMs: () => nowMs,
    unixMs: () => startUnixMs + nowMs,
    wait(ms, signal) {
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      const sleeper = { untilMs: nowMs + ms, wake: resolve };
      sleepers.add(sleeper);
      begun.resolve();
      begun = Promise.withResolvers<void>();
      signal.addEventListener("abort", () => {
        sleepers.delete(sleeper);
        reject(signal.reason as Error);
      });
      return promise;
    },
    pass(ms) {
      nowMs += ms;
      for (const sleeper of sleepers) {
        if (sleeper.untilMs > nowMs) continue;
        sleepers.delete(sleeper);
        sleeper.wake();
      }
    },
    waiting: () => sleepers.size,
    nextWait: () => begun.promise,
  };
}
