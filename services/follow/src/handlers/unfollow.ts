import { appendOutbox, requireCaller, topics, type Queryable, oncePerKey } from "@chirrup/platform";
import { FollowService } from "@chirrup/proto/chirrup/follow/v1/follow_service";
import type { FollowContext, Rpc } from "../context.ts";
import type { Ends } from "../domain/edge.ts";
import { requireUserId } from "../domain/user-id.ts";
import { deleteEdge, readRelationship } from "../store/edges.ts";

export function unfollow(context: FollowContext): Rpc<"unfollow"> {
  const { postgres, users } = context;
  return async (request, call) => {
    const { userId: callerId } = requireCaller(call);
    const { userId } = request;
    requireUserId(userId);

    const { following } = await readRelationship(postgres, { callerId, userId });
    if (!following) {
      await users.requireExisting(userId, call);
      if (call.idempotencyKey === undefined) return {};
    }

    const ends = { followerId: callerId, followeeId: userId };
    // A key matters although twice is once: a repeat must not undo a Follow that came between.
    return postgres.transaction((tx) =>
      oncePerKey(tx, call, FollowService.method.unfollow, request, async () => {
        await removeEdge(tx, context, ends, call.traceparent);
        return {};
      }),
    );
  };
}

async function removeEdge(
  tx: Queryable,
  { ids }: Pick<FollowContext, "ids">,
  { followerId, followeeId }: Ends,
  traceparent: string,
): Promise<void> {
  const edge = await deleteEdge(tx, { followerId, followeeId });
  if (edge === undefined) return;

  await appendOutbox(tx, {
    topic: topics.follows,
    key: followerId,
    event: { case: "followDeleted", value: { followId: edge.id, followerId, followeeId } },
    eventId: ids.next(),
    traceparent,
  });
}
