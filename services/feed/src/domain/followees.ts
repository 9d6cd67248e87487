/** Whom a reader follows. Eight bytes for each. */
export interface Followees {
  readonly size: number;
  has(userId: bigint): boolean;
  /** In ascending order. */
  ids(): bigint[];
  /** Those who are in a set that does not change. O(followees), and O(1) when the set is the one of the last time. */
  among(authors: ReadonlySet<bigint>): readonly bigint[];
}

/** `ids` in ascending order, each once. Membership is O(log n). */
export function followeesOf(ids: readonly bigint[]): Followees {
  const sorted = BigInt64Array.from(ids);
  let last: { readonly authors: ReadonlySet<bigint>; readonly ids: readonly bigint[] } | undefined;
  function has(userId: bigint): boolean {
    let [low, high] = [0, sorted.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((sorted[middle] ?? 0n) < userId) low = middle + 1;
      else high = middle;
    }
    return sorted[low] === userId;
  }
  return {
    size: sorted.length,
    has,
    ids: () => Array.from(sorted),
    among(authors) {
      if (last?.authors !== authors) {
        const found =
          authors.size < sorted.length
            ? Array.from(authors).filter(has)
            : Array.from(sorted).filter((userId) => authors.has(userId));
        last = { authors, ids: found };
      }
      return last.ids;
    },
  };
}

/** Those of the reader's followees who are in `authors`, and the reader when among them. */
export function mergedAuthors(
  readerId: bigint,
  followees: Followees,
  authors: ReadonlySet<bigint>,
): readonly bigint[] {
  const merged = followees.among(authors);
  return authors.has(readerId) ? [...merged, readerId] : merged;
}
