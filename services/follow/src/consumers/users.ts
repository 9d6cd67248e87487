import { setTimeout as delay } from "node:timers/promises";
import { appendOutbox, topics, type Logger, type Queryable, type ReceivedEvent } from "@chirrup/platform";
import type { FollowContext } from "../context.ts";
import { edgeWriters, insertDeletedAccount } from "../store/deleted-accounts.ts";
import {
  deleteAnswersFor,
  deleteSomeFollowers,
  deleteSomeFollowing,
  type GoneEdge,
} from "../store/erasure.ts";

/** Edges that one transaction deletes; each has an event to be written. */
const edgesAtOnce = 100;
const lookAgainMs = 20;

type UsersConsumerContext = Pick<FollowContext, "postgres" | "ids"> & { readonly log: Logger };

/**
 * Applies the topic `users`, keyed by user: a deleted account's edges are deleted, both ways, with their events
 * and counts.
 *
 * It is done in small transactions. Whatever stops it, the event comes again and goes on with what is left; a
 * repeated event finds nothing. When it resolves nothing is left and nothing can come: first the deletion is
 * noted, which every follow looks at, then it waits for the follows that were under way and may not have seen it.
 */
export function createUsersConsumer(
  context: UsersConsumerContext,
): (received: ReceivedEvent, signal: AbortSignal) => Promise<void> {
  return async ({ event }, signal) => {
    // Names and profiles are not kept here, so what else happens to accounts is of no interest.
    if (event.payload.case !== "userDeleted") return;
    const { postgres, log } = context;
    const { userId } = event.payload.value;
    const { traceparent } = event;

    await insertDeletedAccount(postgres, userId);
    await writersGone(context, signal);
    const following = await deleteEdges(context, deleteSomeFollowing, { userId, traceparent, signal });
    const followers = await deleteEdges(context, deleteSomeFollowers, { userId, traceparent, signal });
    await deleteAnswersFor(postgres, userId);
    log.info({ userId, following, followers }, "erased the edges of a deleted account");
  };
}

/** Resolves when the transactions that write now have ended; those that begin later are not waited for. */
async function writersGone({ postgres }: UsersConsumerContext, signal: AbortSignal): Promise<void> {
  const underWay = await edgeWriters(postgres);
  while (underWay.length > 0) {
    await delay(lookAgainMs, undefined, { signal });
    const still = new Set(await edgeWriters(postgres));
    if (!underWay.some((id) => still.has(id))) return;
  }
}

/** Deletes edges until there are no more; answers how many there were. */
async function deleteEdges(
  context: UsersConsumerContext,
  deleteSome: (tx: Queryable, userId: bigint, limit: number) => Promise<GoneEdge[]>,
  { userId, traceparent, signal }: { userId: bigint; traceparent: string; signal: AbortSignal },
): Promise<number> {
  let total = 0;
  for (;;) {
    signal.throwIfAborted();
    const gone = await context.postgres.transaction(async (tx) => {
      const edges = await deleteSome(tx, userId, edgesAtOnce);
      await announce(tx, context, edges, traceparent);
      return edges;
    });
    if (gone.length === 0) return total;
    total += gone.length;
  }
}

async function announce(
  tx: Queryable,
  { ids }: UsersConsumerContext,
  edges: readonly GoneEdge[],
  traceparent: string,
): Promise<void> {
  for (const { id: followId, followerId, followeeId } of edges) {
    await appendOutbox(tx, {
      topic: topics.follows,
      key: followerId,
      event: { case: "followDeleted", value: { followId, followerId, followeeId } },
      eventId: ids.next(),
      traceparent,
    });
  }
}
