import { type Entry, type Slice, sliceOf } from "./slice.ts";

/** An author's recent posts: all above the floor. Eight bytes for each. */
export interface Outbox {
  readonly authorId: bigint;
  readonly floor: bigint;
  /** In ascending order. */
  readonly postIds: BigInt64Array;
}

export function outboxOf(authorId: bigint, { floor, entries }: Slice): Outbox {
  return { authorId, floor, postIds: BigInt64Array.from(entries, ({ postId }) => postId).toReversed() };
}

/** With one post more, if it is above the floor; of more than `max` the lowest go, and the floor rises. O(posts). */
export function withPost(outbox: Outbox, postId: bigint, max: number): Outbox {
  const { authorId, postIds } = outbox;
  if (postId <= outbox.floor) return outbox;
  const at = countBelow(postIds, postId);
  if (postIds[at] === postId) return outbox;
  const more = new BigInt64Array(postIds.length + 1);
  more.set(postIds.subarray(0, at));
  more[at] = postId;
  more.set(postIds.subarray(at), at + 1);
  const excess = Math.max(0, more.length - max);
  const floor = more[excess - 1] ?? outbox.floor;
  return { authorId, floor, postIds: excess > 0 ? more.slice(excess) : more };
}

/** One of the outboxes that are merged, and the next of its posts. */
interface Head {
  readonly outbox: Outbox;
  at: number;
  postId: bigint;
}

/**
 * The newest posts of all outboxes below an id, up to `limit`, as far down as every one of them reaches. At least one
 * outbox; O(outboxes + limit × log outboxes).
 */
export function newestOfOutboxes(outboxes: readonly Outbox[], before: bigint, limit: number): Slice {
  const floor = outboxes.reduce((highest, outbox) => (outbox.floor > highest ? outbox.floor : highest), 0n);
  const heads: Head[] = [];
  for (const outbox of outboxes) {
    const at = countBelow(outbox.postIds, before) - 1;
    const postId = outbox.postIds[at] ?? 0n;
    if (postId > floor) heads.push({ outbox, at, postId });
  }
  for (let at = (heads.length >>> 1) - 1; at >= 0; at -= 1) sink(heads, at);
  const entries: Entry[] = [];
  for (let head = heads[0]; head !== undefined && entries.length < limit; head = heads[0]) {
    entries.push({ postId: head.postId, authorId: head.outbox.authorId });
    head.at -= 1;
    head.postId = head.outbox.postIds[head.at] ?? 0n;
    if (head.postId <= floor) {
      const last = heads.pop();
      if (last !== undefined && last !== head) heads[0] = last;
    }
    sink(heads, 0);
  }
  return sliceOf(entries, limit, floor);
}

/** Restores a heap, the highest id first, of which one head has become lower. */
function sink(heads: Head[], from: number): void {
  let at = from;
  for (;;) {
    const head = heads[at];
    let [next, child] = [heads[2 * at + 1], 2 * at + 1];
    const right = heads[child + 1];
    if (next !== undefined && right !== undefined && right.postId > next.postId)
      [next, child] = [right, child + 1];
    if (head === undefined || next === undefined || next.postId <= head.postId) return;
    heads[at] = next;
    heads[child] = head;
    at = child;
  }
}

/** How many of ascending ids are below another. The newest are asked for most. */
function countBelow(ids: BigInt64Array, id: bigint): number {
  let [low, high] = [0, ids.length];
  if ((ids[high - 1] ?? 0n) < id) return high;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((ids[middle] ?? 0n) < id) low = middle + 1;
    else high = middle;
  }
  return low;
}
