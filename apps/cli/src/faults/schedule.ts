import { pick, type Random } from "../seed/random.ts";

/** A part to be killed. */
export interface Victim<K> {
  readonly kind: K;
  /** 0 up to 1: which of the kind's parts. */
  readonly which: number;
}

/** One or two kills to come. */
export interface Turn<K> extends Victim<K> {
  /** How long the platform is left in peace before it. */
  readonly pauseMs: number;
  /** Killed while what the first needs, or is needed for, is still away. Of another kind. */
  readonly second: (Victim<K> & { readonly afterMs: number }) | undefined;
}

const longestPauseMs = 1_500;
const longestGapMs = 1_000;
const shareOfPairs = 0.35;

/**
 * First every kind in turn, so that a short run has met them all, then at random, and some in pairs: work that is
 * held up by the death of one part is what the death of another loses. The same seed and kinds give the same
 * schedule.
 *
 * @param alone Kinds that are in no pair.
 */
export function scheduleKills<K>(
  random: Random,
  kinds: readonly K[],
  kills: number,
  alone: readonly K[] = [],
): readonly Turn<K>[] {
  const turns: Turn<K>[] = [];
  for (let left = kills; left > 0;) {
    const kind = kinds[turns.length] ?? pick(random, kinds);
    const turn = { kind, which: random(), pauseMs: Math.round(random() * longestPauseMs) };
    const others = alone.includes(kind)
      ? []
      : kinds.filter((other) => other !== kind && !alone.includes(other));
    const pair = random() < shareOfPairs && turns.length >= kinds.length && left > 1 && others.length > 0;
    turns.push({
      ...turn,
      second: pair
        ? { kind: pick(random, others), which: random(), afterMs: Math.round(random() * longestGapMs) }
        : undefined,
    });
    left -= pair ? 2 : 1;
  }
  return turns;
}
