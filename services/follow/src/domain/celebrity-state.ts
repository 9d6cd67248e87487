import { CelebrityState } from "@chirrup/proto/chirrup/follow/v1/follow_service";

/** Followers at which an author's state moves. `down` is at least 1 and at most `up`. */
export interface Thresholds {
  /** From this many followers on, an author is on the way to celebrity. */
  readonly up: number;
  /** Below this many, a celebrity is on the way back. The gap keeps one follow more or less from moving it. */
  readonly down: number;
}

/** An author's state, and how many times it has changed. An author of whom nothing is stored is normal at 0. */
export interface Standing {
  readonly state: CelebrityState;
  readonly epoch: bigint;
}

/** Nine tenths of the upper threshold, at least 1: what holds when no lower threshold is given. */
export function defaultDownThreshold(up: number): number {
  return Math.max(1, Math.floor(up * 0.9));
}

/**
 * The state that follows from a number of followers: the same one when nothing moves.
 *
 * *Why falling may turn to rising, and rising to falling, at once*: both are pushed and merged, so readers
 * miss nothing on either side of the change; only the work that is waited for differs.
 */
export function afterCount(
  state: CelebrityState,
  followers: bigint,
  { up, down }: Thresholds,
): CelebrityState {
  const above = state === CelebrityState.RISING || state === CelebrityState.CELEBRITY;
  if (!above && followers >= up) return CelebrityState.RISING;
  if (above && followers < down) return CelebrityState.FALLING;
  return state;
}

/**
 * The state once the work for `epoch` is done: rising becomes celebrity, falling becomes normal. The same
 * one when the state has moved since, for then another epoch's work is waited for.
 */
export function afterWork({ state, epoch }: Standing, doneForEpoch: bigint): CelebrityState {
  if (epoch !== doneForEpoch) return state;
  if (state === CelebrityState.RISING) return CelebrityState.CELEBRITY;
  if (state === CelebrityState.FALLING) return CelebrityState.NORMAL;
  return state;
}
