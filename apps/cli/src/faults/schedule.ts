import { pick, type Random } from "../seed/random.ts";

/** One kill to come. */
export interface Turn<K> {
  readonly kind: K;
  /** 0 up to 1: which of the kind's parts. */
  readonly which: number;
  /** How long the platform is left in peace before it. */
  readonly pauseMs: number;
}

const longestPauseMs = 1_500;

/**
 * First every kind in turn, so that a short run has met them all, then at random. The same seed and kinds give
 * the same schedule.
 */
export function scheduleKills<K>(random: Random, kinds: readonly K[], kills: number): readonly Turn<K>[] {
  return Array.from({ length: kills }, (_, index) => ({
    kind: kinds[index] ?? pick(random, kinds),
    which: random(),
    pauseMs: Math.round(random() * longestPauseMs),
  }));
}
