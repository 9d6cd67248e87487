import { coalesce } from "@chirrup/platform";
import { createKept } from "../domain/kept.ts";
import { type Outbox, outboxOf, withPost } from "../domain/outbox.ts";
import { newest } from "../domain/slice.ts";
import type { AuthorOutboxes } from "../store/author-outbox.ts";
import type { CelebrityLog, LogPlace } from "../store/celebrity-log.ts";

export interface CelebrityPostsContext {
  readonly outboxes: AuthorOutboxes;
  readonly log: CelebrityLog;
  /** How many posts an outbox holds. */
  readonly outboxMax: number;
  /** How many posts are kept in all, of all authors together; 8 bytes each. */
  readonly maxKept: number;
}

/** Outboxes of celebrities, kept in this process so that a page costs no command for each. */
export interface CelebrityPosts {
  /**
   * In the order of the ids, as they are once all that was announced before the call is applied; undefined where none is
   * had. One round trip to Redis, which pages that ask at the same time share, and a second one for those that are not
   * kept. Rejects when Redis does not answer.
   */
  read(authorIds: readonly bigint[]): Promise<(Outbox | undefined)[]>;
}

/** More pages than a process has at once. */
const maxTogether = 10_000;

/**
 * Why an outbox that is kept lacks nothing that a page needs of it. A home timeline has what an author posted, save what
 * was pushed to nobody; take a post that was not. It was put into the outbox in Redis, then the author was found to be a
 * celebrity, then it was announced, then its event was done.
 * - Put there before the outbox was read from Redis: it was read.
 * - Put there after: then it was announced after, too. The log was read before the outbox was, so the announcement stands
 *   beyond the place that this process had come to, or the log had another life, and the process hears of either before
 *   it makes a page that was asked for after the event was done. It hears of it while the outbox is on its way (then that
 *   one is not kept), or after (then the post is added).
 * - Announced when no log was kept: then whoever makes the log next makes it after the post was put into the outbox, reads
 *   outboxes after that, and keeps none of before.
 * A log that may have lost announcements has another life: its key is gone, or has another keeper.
 *
 * What is kept is true whatever becomes of the outbox in Redis, which may be lost or of another keeper meanwhile. It may
 * have posts that are deleted, as timelines may; and lacks those that were pushed, which the home timelines have.
 */
export function createCelebrityPosts({
  outboxes,
  log,
  outboxMax,
  maxKept,
}: CelebrityPostsContext): CelebrityPosts {
  const create = (): ReturnType<typeof createKept<Outbox>> =>
    createKept<Outbox>(maxKept, ({ postIds }) => postIds.length + 8);
  let kept = create();
  let place: LogPlace | undefined;
  /** Outboxes that are on their way from Redis, and may be kept when they come. */
  const coming = new Map<bigint, symbol>();

  /** One at a time, so what was announced is taken in its order. */
  const catchUp = coalesce<undefined, undefined>(maxTogether, async (_, pages) => {
    const { place: end, announced } = await log.readOn(place);
    if (announced === undefined) {
      kept = create();
      coming.clear();
    } else {
      for (const { authorId, postId } of announced) {
        coming.delete(authorId);
        const outbox = kept.peek(authorId);
        if (outbox !== undefined) kept.keep(authorId, withPost(outbox, postId, outboxMax));
      }
    }
    place = end;
    return pages.map(() => undefined);
  });

  async function fetch(authorIds: readonly bigint[]): Promise<(Outbox | undefined)[]> {
    const mark = Symbol("this reading");
    for (const authorId of authorIds) coming.set(authorId, mark);
    const slices = await outboxes.read(authorIds, newest, outboxMax);
    return authorIds.map((authorId, index) => {
      const slice = slices[index];
      const outbox = slice && outboxOf(authorId, slice);
      if (coming.get(authorId) !== mark) return outbox;
      coming.delete(authorId);
      if (outbox !== undefined) kept.keep(authorId, outbox);
      return outbox;
    });
  }

  return {
    async read(authorIds) {
      if (authorIds.length === 0) return [];
      await catchUp(0n, undefined);
      const held = authorIds.map((authorId) => kept.use(authorId));
      const missing = authorIds.filter((_, index) => held[index] === undefined);
      if (missing.length === 0) return held;
      const fetched = await fetch(missing);
      let next = 0;
      return held.map((outbox) => outbox ?? fetched[next++]);
    },
  };
}
