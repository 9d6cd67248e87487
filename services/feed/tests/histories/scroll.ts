import assert from "node:assert/strict";
import type { FeedProcess } from "../feed-process.ts";
import type { World } from "../world.ts";

/** A reader on the way down a feed. */
export interface Scroll {
  readonly readerId: bigint;
  readonly pageSize: number;
  /** The place of the first item, when the first page has been read. */
  readonly since: string | undefined;
  readonly isBusy: boolean;
  readonly isOver: boolean;
  /** Something has happened in the world: what is gone need not come any more. */
  look(): void;
  /** Reads the next page from a process. Throws AssertionError when it is not what it must be. */
  next(process: FeedProcess, isAlive: () => boolean): Promise<void>;
}

/** What a world promises a reader. */
export interface Promises {
  /** Posts of the reader's feed of which all events are applied. */
  settled(readerId: bigint): bigint[];
  /** Whether the reader may still be shown an author's posts: followed, or the end of it is not applied yet. */
  mayShow(readerId: bigint, authorId: bigint): boolean;
}

/**
 * Goes down a feed, and holds it to this, whatever happens meanwhile:
 * - ids only fall, from page to page too, so nothing is repeated;
 * - every page is full, but for the last;
 * - what was settled when it began and was there all the time has come by the end;
 * - a post that was gone before a page was asked for is not on it, nor one of an author whom the reader was known to
 *   follow no longer.
 */
export function beginScroll(world: World, promises: Promises, readerId: bigint, pageSize: number): Scroll {
  let due = new Set(promises.settled(readerId));
  let cursor = "";
  let last: bigint | undefined;
  let since: string | undefined;
  let isBusy = false;
  let isOver = false;
  /** What has been hidden ever since the page that is under way was asked for. */
  let gone = new Set<bigint>();

  function hidden(): Set<bigint> {
    const isHidden = ({ postId, authorId }: { postId: bigint; authorId: bigint }): boolean =>
      !world.posts.has(postId) || !promises.mayShow(readerId, authorId);
    return new Set(world.everPosted().flatMap((post) => (isHidden(post) ? [post.postId] : [])));
  }

  function look(): void {
    const here = new Set(world.feedOf(readerId));
    due = new Set([...due].filter((id) => here.has(id)));
    // What has come back meanwhile may be on the page.
    gone = gone.intersection(hidden());
  }

  function check(ids: readonly bigint[], isLast: boolean): void {
    for (const id of ids) {
      assert(last === undefined || id < last, `reader ${readerId}: ${id} comes after ${last}`);
      assert(!gone.has(id), `reader ${readerId}: ${id} was gone before the page was asked for`);
      due.delete(id);
      last = id;
    }
    if (!isLast) assert.equal(ids.length, pageSize, `reader ${readerId}: a page is not full`);
    const lowest = isLast ? 0n : (last ?? 0n);
    const skipped = [...due].filter((id) => id > lowest);
    assert.deepEqual(skipped, [], `reader ${readerId}: posts were skipped`);
  }

  return {
    readerId,
    pageSize,
    get since() {
      return since;
    },
    get isBusy() {
      return isBusy;
    },
    get isOver() {
      return isOver;
    },
    look,
    async next(process, isAlive) {
      isBusy = true;
      gone = hidden();
      try {
        const page = await process.page(readerId, { cursor, pageSize });
        // Nobody hears the answer of a process that has died.
        if (!isAlive()) return;
        since ??= page.since;
        look();
        check(
          page.items.map(({ post }) => post!.id),
          page.nextCursor === "",
        );
        cursor = page.nextCursor;
        isOver = cursor === "";
      } finally {
        isBusy = false;
      }
    },
  };
}
