/** The two clocks of a process. */
export interface Clock {
  /** Milliseconds since 1970, whole; may be set back or forward at any time. */
  wallMs(): number;
  /** Milliseconds since some start; never goes back. */
  monotonicMs(): number;
}

export const systemClock: Clock = {
  wallMs: Date.now,
  monotonicMs: () => performance.now(),
};
