/** How many readers one pipeline takes, found out by how long pipelines take. */
export interface Pace {
  readonly batchSize: number;
  /** Tells how long a pipeline of so many took, in milliseconds, the wait for its turn left out. */
  took(size: number, ms: number): void;
}

/** Longer pipelines save little, and make others wait. */
const shortMs = 10;
const longMs = 50;

/**
 * Doubles while pipelines are quick, halves when they are slow: a server that is busy or far away gets its work in
 * smaller pieces, and another's events come through between them. From `least` to `most`.
 */
export function createPace({ least, most }: { readonly least: number; readonly most: number }): Pace {
  let batchSize = Math.min(most, 2 * least);
  return {
    get batchSize() {
      return batchSize;
    },
    took(size, ms) {
      if (ms > longMs) batchSize = Math.max(Math.min(least, most), Math.floor(batchSize / 2));
      // One that was not full says nothing of a larger one.
      else if (ms < shortMs && size >= batchSize) batchSize = Math.min(most, batchSize * 2);
    },
  };
}
