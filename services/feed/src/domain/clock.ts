import { setTimeout as delay } from "node:timers/promises";

/** Time as it passes, for whoever keeps something for a while. */
export interface Clock {
  /** Milliseconds since some moment; never steps back. */
  nowMs(): number;
  /** Milliseconds since 1970, as ids have them; may step. */
  unixMs(): number;
  /** Resolves after so many milliseconds; rejects when the signal aborts. */
  wait(ms: number, signal: AbortSignal): Promise<void>;
}

/** The machine's own. */
export const systemClock: Clock = {
  nowMs: () => performance.now(),
  unixMs: () => Date.now(),
  wait: (ms, signal) => delay(ms, undefined, { signal }),
};
