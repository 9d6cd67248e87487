import {
  appendOutbox,
  notFound,
  requireCaller,
  topics,
  unauthenticated,
  type Queryable,
  oncePerKey,
} from "@chirrup/platform";
import { FollowService } from "@chirrup/proto/chirrup/follow/v1/follow_service";
import type { FollowContext, Rpc } from "../context.ts";
import { requireAnother, requireRoom, type Ends } from "../domain/edge.ts";
import { requireUserId } from "../domain/user-id.ts";
import { deletedAmong } from "../store/deleted-accounts.ts";
import { insertEdge, readRelationship } from "../store/edges.ts";

export function follow(context: FollowContext): Rpc<"follow"> {
  const { postgres, users } = context;
  return async (request, call) => {
    const { userId: callerId } = requireCaller(call);
    const { userId } = request;
    requireUserId(userId);
    requireAnother(callerId, userId);

    const { following } = await readRelationship(postgres, { callerId, userId });
    if (following && call.idempotencyKey === undefined) return {};
    // An edge proves that the user exists.
    if (!following) await users.requireExisting(userId, call);

    const ends = { followerId: callerId, followeeId: userId };
    // A key matters although twice is once: a repeat must not undo an Unfollow that came between.
    return postgres.transaction((tx) =>
      oncePerKey(tx, call, FollowService.method.follow, request, async () => {
        await addEdge(tx, context, ends, call.traceparent);
        return {};
      }),
    );
  };
}

async function addEdge(
  tx: Queryable,
  { ids }: Pick<FollowContext, "ids">,
  { followerId, followeeId }: Ends,
  traceparent: string,
): Promise<void> {
  const edge = await insertEdge(tx, { followerId, followeeId, id: ids.next() });
  if (edge === undefined) return requireEnds(tx, { followerId, followeeId });
  requireRoom(edge.following);

  await appendOutbox(tx, {
    topic: topics.follows,
    key: followerId,
    event: { case: "followCreated", value: { followId: edge.id, followerId, followeeId } },
    eventId: ids.next(),
    traceparent,
  });
}

/** Refuses an edge of which an end has been deleted since the caller was let in, or the followee found. */
async function requireEnds(tx: Queryable, { followerId, followeeId }: Ends): Promise<void> {
  const deleted = await deletedAmong(tx, [followerId, followeeId]);
  if (deleted.includes(followerId)) throw unauthenticated("the account does not exist any more");
  if (deleted.includes(followeeId)) throw notFound("user", followeeId);
}
