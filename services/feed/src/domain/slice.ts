/** A post in a timeline. */
export interface Entry {
  readonly postId: bigint;
  /** Absent where the source does not say: timelines hold ids alone. */
  readonly authorId?: bigint | undefined;
}

/**
 * A stretch of a list of posts, newest first: all that the list holds below the id that was asked for and
 * above `floor`, and nothing about what is at or below `floor`. Every source of a feed answers with one, so
 * that sources which know less merge with those which know more.
 */
export interface Slice {
  readonly floor: bigint;
  readonly entries: readonly Entry[];
}

/** Above every id: "from the newest" where a slice below an id is asked for. */
export const newest: bigint = 2n ** 63n;

/**
 * A source was asked for at most `limit` entries: where its answer ends. A full answer says nothing below
 * its last entry; one that is not full has all that is above `floor`.
 */
export function sliceOf(entries: readonly Entry[], limit: number, floor: bigint = 0n): Slice {
  const last = entries[limit - 1];
  return { entries, floor: last === undefined ? floor : last.postId - 1n };
}

/** What a slice still says below an id that it reached beyond; undefined when it says nothing there. */
export function below(slice: Slice, before: bigint): Slice | undefined {
  if (slice.floor + 1n >= before) return undefined;
  const [first] = slice.entries;
  if (first === undefined || first.postId < before) return slice;
  return { floor: slice.floor, entries: slice.entries.filter(({ postId }) => postId < before) };
}

/**
 * The union of sources, each post once. It ends at the highest floor: below that one source is silent, and
 * a post of it would be skipped. At least one slice; O(entries × log entries).
 */
export function mergeSlices(slices: readonly Slice[]): Slice {
  const [only, ...others] = slices;
  if (only !== undefined && others.length === 0) return only;
  const floor = slices.reduce((highest, slice) => (slice.floor > highest ? slice.floor : highest), 0n);
  const byId = new Map<bigint, Entry>();
  for (const slice of slices) {
    for (const entry of slice.entries) {
      if (entry.postId <= floor) break;
      byId.set(entry.postId, entry);
    }
  }
  const entries = [...byId.values()].sort((a, b) => (a.postId < b.postId ? 1 : -1));
  return { floor, entries };
}
