import { setTimeout as delay } from "node:timers/promises";

import { appendOutbox, type Logger, type ReceivedEvent, topics } from "@chirrup/platform";

import type { Context } from "../context.ts";
import { findWriters, insertDeletedAccount } from "../store/deleted-account.ts";
import {
  deleteAnswersFor,
  deletePosts,
  deleteSomeCommentsOf,
  deleteSomeLikesOf,
  findSomePostsOf,
  thinOut,
} from "../store/erasure.ts";

/** Posts that one transaction deletes; each has an event to be written. */
const postsAtOnce = 50;
/** Likes or comments that one statement deletes: some tens of milliseconds of work. */
const rowsAtOnce = 2_000;
const lookAgainMs = 20;

type UsersConsumerContext = Pick<Context, "postgres" | "ids"> & { readonly log: Logger };

/**
 * Applies the topic `users`, keyed by user: a deleted account's posts, comments and likes are deleted, posts with
 * their events.
 *
 * It is done in small transactions. Whatever stops it, the event comes again and goes on with what is left; a
 * repeated event finds nothing. When it resolves nothing is left and nothing can come: first the deletion is
 * noted, which every write looks at, then it waits for the writes that were under way and may not have seen it.
 */
export function createUsersConsumer(
  context: UsersConsumerContext,
): (received: ReceivedEvent, signal: AbortSignal) => Promise<void> {
  return async ({ event }, signal) => {
    // Names and profiles are not kept here, so what else happens to accounts is of no interest.
    if (event.payload.case !== "userDeleted") return;
    await erase(context, event.payload.value.userId, event.traceparent, signal);
  };
}

async function erase(
  context: UsersConsumerContext,
  userId: bigint,
  traceparent: string,
  signal: AbortSignal,
): Promise<void> {
  const { postgres, log } = context;
  await insertDeletedAccount(postgres, userId);
  await writersGone(context, signal);

  const posts = await deletePostsOf(context, userId, traceparent, signal);
  const comments = await inBatches(() => deleteSomeCommentsOf(postgres, userId, rowsAtOnce), signal);
  const likes = await inBatches(() => deleteSomeLikesOf(postgres, userId, rowsAtOnce), signal);
  await deleteAnswersFor(postgres, userId);
  log.info({ userId, posts, comments, likes }, "erased what a deleted account had written");
}

/** Resolves when the transactions that write now have ended; those that begin later are not waited for. */
async function writersGone({ postgres }: UsersConsumerContext, signal: AbortSignal): Promise<void> {
  const underWay = await findWriters(postgres);
  while (underWay.length > 0) {
    signal.throwIfAborted();
    await delay(lookAgainMs, undefined, { signal });
    const still = new Set(await findWriters(postgres));
    if (!underWay.some((id) => still.has(id))) return;
  }
}

async function deletePostsOf(
  { postgres, ids }: UsersConsumerContext,
  authorId: bigint,
  traceparent: string,
  signal: AbortSignal,
): Promise<number> {
  return inBatches(async () => {
    const postIds = await findSomePostsOf(postgres, authorId, postsAtOnce);
    // A post may have more likes than one statement can delete with it in time.
    await inBatches(() => thinOut(postgres, postIds, rowsAtOnce), signal);
    await postgres.transaction(async (tx) => {
      for (const postId of await deletePosts(tx, postIds)) {
        await appendOutbox(tx, {
          topic: topics.posts,
          key: authorId,
          event: { case: "postDeleted", value: { postId, authorId } },
          eventId: ids.next(),
          traceparent,
        });
      }
    });
    return postIds.length;
  }, signal);
}

/** Repeats a deletion until it finds nothing more; answers how many it found in all. */
async function inBatches(deleteSome: () => Promise<number>, signal: AbortSignal): Promise<number> {
  let total = 0;
  for (let found = 1; found > 0; total += found) {
    signal.throwIfAborted();
    found = await deleteSome();
  }
  return total;
}
