const firstMs = 50;
const mostMs = 10_000;

/**
 * Pause before the next attempt: doubles from 50 ms to 10 s, of which a random half is taken off, so that
 * keys and processes that failed together do not come back together.
 *
 * @param attempt The attempt that failed; 1 for the first.
 */
export function backoffMs(attempt: number, random: () => number = Math.random): number {
  const full = Math.min(firstMs * 2 ** Math.min(attempt - 1, 20), mostMs);
  return full * (1 - random() / 2);
}
