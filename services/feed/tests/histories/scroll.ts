import assert from "node:assert/strict";
import type { Post } from "@chirrup/proto/chirrup/post/v1/post_service";
import type { FeedProcess } from "../feed-process.ts";
import { contentOf } from "../peers.ts";
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
  /**
   * Reads the next page from a process, with the consistency tokens of a device. Throws AssertionError when it is not
   * what it must be.
   */
  next(process: FeedProcess, tokens: readonly string[], isAlive: () => boolean): Promise<void>;
}

/** What a world promises a reader. */
export interface Promises {
  /** Posts of the reader's feed of which all events are applied. */
  settled(readerId: bigint): bigint[];
  /**
   * Whether the reader may still be shown an author's posts: followed, or the end of it is not applied yet and not among
   * the first so many writes of the follow service, which the reader's tokens stand for.
   */
  mayShow(readerId: bigint, authorId: bigint, knownFollows: number): boolean;
}

/**
 * Goes down a feed, and holds it to this, whatever happens meanwhile:
 * - ids only fall, from page to page too, so nothing is repeated;
 * - every page is full, but for the last;
 * - what was settled when it began and was there all the time has come by the end;
 * - a post that was gone before a page was asked for is not on it, nor one of an author whom the reader was known to
 *   follow no longer. What a replica does not have yet, and no token of the reader stands for, counts as not done;
 * - a post says what it said when its page was asked for, in the same sense, or something newer.
 */
export function beginScroll(world: World, promises: Promises, readerId: bigint, pageSize: number): Scroll {
  let due = new Set(promises.settled(readerId));
  let cursor = "";
  let last: bigint | undefined;
  let since: string | undefined;
  let isBusy = false;
  let isOver = false;
  /** How many writes of each service the page that is under way must have. */
  let known = { posts: 0, follows: 0 };
  /** What has been hidden ever since that page was asked for. */
  let gone = new Set<bigint>();

  function hidden(): Set<bigint> {
    const shown = new Map<bigint, boolean>();
    for (const { authorId } of world.everPosted) {
      if (!shown.has(authorId)) shown.set(authorId, promises.mayShow(readerId, authorId, known.follows));
    }
    const isHidden = ({ postId, authorId }: { postId: bigint; authorId: bigint }): boolean =>
      world.wasDeleted(postId, known.posts) || shown.get(authorId) === false;
    return new Set(world.everPosted.flatMap((post) => (isHidden(post) ? [post.postId] : [])));
  }

  function look(): void {
    const here = new Set(world.feedOf(readerId));
    due = new Set([...due].filter((id) => here.has(id)));
    // What has come back meanwhile may be on the page.
    if (isBusy) gone = gone.intersection(hidden());
  }

  function check(posts: readonly Pick<Post, "id" | "content">[], isLast: boolean): void {
    for (const { id, content } of posts) {
      assert(
        content >= contentOf(world.versionOf(id, known.posts)),
        `reader ${readerId}: ${id} is an old one`,
      );
      assert(last === undefined || id < last, `reader ${readerId}: ${id} comes after ${last}`);
      assert(!gone.has(id), `reader ${readerId}: ${id} was gone before the page was asked for`);
      due.delete(id);
      last = id;
    }
    if (!isLast) assert.equal(posts.length, pageSize, `reader ${readerId}: a page is not full`);
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
    async next(process, tokens, isAlive) {
      isBusy = true;
      known = {
        posts: world.postRows.leastKnown(tokens),
        follows: world.followRows.standsFor(tokens),
      };
      gone = hidden();
      try {
        const page = await process.page(readerId, { cursor, pageSize }, tokens);
        // Nobody hears the answer of a process that has died.
        if (!isAlive()) return;
        since ??= page.since;
        look();
        check(
          page.items.map(({ post }) => post!),
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
