/** Whom a reader follows. Eight bytes for each. */
export interface Followees {
  readonly size: number;
  has(userId: bigint): boolean;
  /** In ascending order. */
  ids(): bigint[];
}

/** `ids` in ascending order, each once. Membership is O(log n). */
export function followeesOf(ids: readonly bigint[]): Followees {
  const sorted = BigInt64Array.from(ids);
  return {
    size: sorted.length,
    has(userId) {
      let [low, high] = [0, sorted.length];
      while (low < high) {
        const middle = (low + high) >>> 1;
        if ((sorted[middle] ?? 0n) < userId) low = middle + 1;
        else high = middle;
      }
      return sorted[low] === userId;
    },
    ids: () => Array.from(sorted),
  };
}

/** Those of the reader's followees who are in `authors`, and the reader when among them. O(followees). */
export function mergedAuthors(
  readerId: bigint,
  followees: Followees,
  authors: ReadonlySet<bigint>,
): readonly bigint[] {
  if (authors.size === 0) return [];
  const few = authors.size < followees.size;
  const merged = few
    ? [...authors].filter((authorId) => followees.has(authorId))
    : followees.ids().filter((authorId) => authors.has(authorId));
  return authors.has(readerId) ? [...merged, readerId] : merged;
}
