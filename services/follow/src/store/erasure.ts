import type { Queryable } from "@chirrup/platform";
import type { Ends } from "../domain/edge.ts";
import { noteFollowers } from "./follower-deltas.ts";

/** An edge that was. */
export interface GoneEdge extends Ends {
  readonly id: bigint;
}

/** Deletes some of the edges by which a user follows others and uncounts them. */
export function deleteSomeFollowing(tx: Queryable, userId: bigint, limit: number): Promise<GoneEdge[]> {
  return tx.query<GoneEdge>({
    name: "delete-some-following",
    text: deleteSome("follower_id = $1 order by followee_id"),
    values: [userId, limit],
  });
}

/** Deletes some of the edges by which others follow a user and uncounts them. */
export function deleteSomeFollowers(tx: Queryable, userId: bigint, limit: number): Promise<GoneEdge[]> {
  return tx.query<GoneEdge>({
    name: "delete-some-followers",
    text: deleteSome("followee_id = $1 order by follower_id"),
    values: [userId, limit],
  });
}

/** With the locks of insertEdge: first the edges, then the followers' count rows in the order of their users. */
function deleteSome(doomed: string): string {
  return `
    with doomed as (
      select follower_id, followee_id from follows where ${doomed} limit $2 for update
    ), edge as (
      delete from follows using doomed
      where follows.follower_id = doomed.follower_id and follows.followee_id = doomed.followee_id
      returning follows.id, follows.follower_id, follows.followee_id
    ), noted as (${noteFollowers("edge", -1)}), counted as (
      -- The rows proposed for insertion are never stored, for a counted edge has its row; an upsert locks
      -- them in the order of its input, which an update does not promise.
      insert into follow_counts as counts (user_id, following)
      select follower_id, count(*) from edge group by follower_id order by follower_id
      on conflict (user_id) do update set following = counts.following - excluded.following
    )
    select id, follower_id as "followerId", followee_id as "followeeId" from edge order by id`;
}

/** Deletes the answers kept for a user's idempotency keys. */
export async function deleteAnswersFor(db: Queryable, userId: bigint): Promise<void> {
  await db.query({
    name: "delete-answers-for",
    text: `delete from idempotency_keys where caller_id = $1`,
    values: [userId],
  });
}
