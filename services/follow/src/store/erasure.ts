import type { Queryable } from "@chirrup/platform";
import type { Ends } from "../domain/edge.ts";

/** An edge that was, and how many follow its followee now. */
export interface GoneEdge extends Ends {
  readonly id: bigint;
  readonly followers: bigint;
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

/** With the locks of insertEdge: first the edges, then all count rows in the order of their users. */
function deleteSome(doomed: string): string {
  return `
    with doomed as (
      select follower_id, followee_id from follows where ${doomed} limit $2 for update
    ), edge as (
      delete from follows using doomed
      where follows.follower_id = doomed.follower_id and follows.followee_id = doomed.followee_id
      returning follows.id, follows.follower_id, follows.followee_id
    ), change as (
      select user_id, sum(followers) as followers, sum(following) as following
      from (
        select follower_id as user_id, 0 as followers, 1 as following from edge
        union all
        select followee_id, 1, 0 from edge
      ) as ends
      group by user_id
    ), counted as (
      insert into follow_counts as counts (user_id, followers, following)
      select user_id, followers, following from change order by user_id
      on conflict (user_id) do update
      set followers = counts.followers - excluded.followers, following = counts.following - excluded.following
      returning user_id, followers
    )
    select edge.id, edge.follower_id as "followerId", edge.followee_id as "followeeId", counted.followers
    from edge join counted on counted.user_id = edge.followee_id
    order by edge.id`;
}

/** Deletes the answers kept for a user's idempotency keys. */
export async function deleteAnswersFor(db: Queryable, userId: bigint): Promise<void> {
  await db.query({
    name: "delete-answers-for",
    text: `delete from idempotency_keys where caller_id = $1`,
    values: [userId],
  });
}
