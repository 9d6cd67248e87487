import type { Queryable } from "@chirrup/platform";
import type { Ends, ListedEdge } from "../domain/edge.ts";
import { noteFollowers } from "./follower-deltas.ts";

/** What an edge's change leaves behind. */
export interface ChangedEdge {
  readonly id: bigint;
  /** How many the follower follows now. */
  readonly following: bigint;
}

/**
 * Inserts an edge and counts it, in one round trip; undefined when it was there or an end has been deleted.
 *
 * *Locks*: the edge comes first, so who comes second for the same edge waits before holding anything; then the
 * follower's count row, which makes the changes of one follower come one after another. The followee's number
 * changes by a row of its own, so that those who follow the same author do not wait for one another.
 */
export async function insertEdge(
  tx: Queryable,
  { followerId, followeeId, id }: Ends & { readonly id: bigint },
): Promise<ChangedEdge | undefined> {
  const [changed] = await tx.query<ChangedEdge>({
    name: "insert-edge",
    text: `
      with edge as (
        insert into follows (follower_id, followee_id, id) select $1, $2, $3
        where not exists (select from deleted_accounts where user_id in ($1, $2))
        on conflict do nothing
        returning id, follower_id, followee_id
      ), noted as (${noteFollowers("edge", 1)}), counted as (
        insert into follow_counts as counts (user_id, following) select follower_id, 1 from edge
        on conflict (user_id) do update set following = counts.following + 1
        returning following
      )
      select edge.id, counted.following from edge, counted`,
    values: [followerId, followeeId, id],
  });
  return changed;
}

/** Deletes an edge and uncounts it, with the locks of {@link insertEdge}; undefined when there was none. */
export async function deleteEdge(
  tx: Queryable,
  { followerId, followeeId }: Ends,
): Promise<ChangedEdge | undefined> {
  const [changed] = await tx.query<ChangedEdge>({
    name: "delete-edge",
    text: `
      with edge as (
        delete from follows where follower_id = $1 and followee_id = $2
        returning id, follower_id, followee_id
      ), noted as (${noteFollowers("edge", -1)}), counted as (
        update follow_counts as counts set following = counts.following - 1
        from edge where counts.user_id = edge.follower_id
        returning counts.following
      )
      select edge.id, counted.following from edge, counted`,
    values: [followerId, followeeId],
  });
  return changed;
}

/** Whether either of two users follows the other. */
export async function readRelationship(
  db: Queryable,
  { callerId, userId }: { readonly callerId: bigint; readonly userId: bigint },
): Promise<{ following: boolean; followedBy: boolean }> {
  const [row] = await db.query<{ following: boolean; followedBy: boolean }>({
    name: "read-relationship",
    brief: true,
    text: `
      select exists (select from follows where follower_id = $1 and followee_id = $2) as following,
             exists (select from follows where follower_id = $2 and followee_id = $1) as "followedBy"`,
    values: [callerId, userId],
  });
  return row ?? { following: false, followedBy: false };
}

/** Where a list goes on: edges older than `before`, newest first, at most `limit`. */
export interface ListWindow {
  readonly userId: bigint;
  readonly before: bigint | undefined;
  readonly limit: number;
}

const newestId = 2n ** 63n - 1n;

export function listFollowers(db: Queryable, { userId, before, limit }: ListWindow): Promise<ListedEdge[]> {
  return db.query<ListedEdge>({
    name: "list-followers",
    brief: true,
    text: `
      select id, follower_id as "userId" from follows
      where followee_id = $1 and id < $2
      order by id desc limit $3`,
    values: [userId, before ?? newestId, limit],
  });
}

export function listFollowing(db: Queryable, { userId, before, limit }: ListWindow): Promise<ListedEdge[]> {
  return db.query<ListedEdge>({
    name: "list-following",
    brief: true,
    text: `
      select id, followee_id as "userId" from follows
      where follower_id = $1 and id < $2
      order by id desc limit $3`,
    values: [userId, before ?? newestId, limit],
  });
}
