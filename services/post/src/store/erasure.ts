import type { Queryable } from "@chirrup/platform";

import { addCounts } from "./count.ts";

/** Some posts of an author, oldest first. */
export async function findSomePostsOf(db: Queryable, authorId: bigint, limit: number): Promise<bigint[]> {
  const rows = await db.query<{ id: bigint }>({
    name: "find-some-posts-of",
    text: `select id from posts where author_id = $1 order by id limit $2`,
    values: [authorId, limit],
  });
  return rows.map(({ id }) => id);
}

/** Deletes those of some posts that are there, with what hangs on them; answers which. */
export async function deletePosts(tx: Queryable, postIds: readonly bigint[]): Promise<bigint[]> {
  const rows = await tx.query<{ id: bigint }>({
    name: "delete-posts",
    text: `
    with doomed as (
      select id from posts where id = any ($1::bigint[]) order by id for update
    ), gone as (
      delete from posts using doomed where posts.id = doomed.id returning posts.id
    )
    select id from gone order by id`,
    values: [postIds],
  });
  return rows.map(({ id }) => id);
}

/**
 * Deletes some of the likes and comments beyond the first `limit` on posts that are about to be deleted; answers
 * how many. They are not counted off, because the counts go with the posts.
 */
export async function thinOut(db: Queryable, postIds: readonly bigint[], limit: number): Promise<number> {
  const [row] = await db.query<{ count: bigint }>({
    name: "thin-out",
    text: `
    with fewer_likes as (
      delete from likes where ctid = any (array(
        select ctid from likes where post_id = any ($1::bigint[]) limit $2 offset $2
      )) returning 1
    ), fewer_comments as (
      delete from comments where ctid = any (array(
        select ctid from comments where post_id = any ($1::bigint[]) limit $2 offset $2
      )) returning 1
    )
    select (select count(*) from fewer_likes) + (select count(*) from fewer_comments) as count`,
    values: [postIds, limit],
  });
  return Number(row?.count ?? 0n);
}

/** Deletes some likes of a user and counts them off; answers how many there were to delete. */
export function deleteSomeLikesOf(db: Queryable, userId: bigint, limit: number): Promise<number> {
  return deleteSome(db, {
    name: "delete-some-likes-of",
    doomed: `select post_id, post_id as id from likes where user_id = $1 order by post_id limit $2`,
    removed: `delete from likes using target
      where user_id = $1 and likes.post_id = target.id returning likes.post_id`,
    delta: { likes: -1, comments: 0 },
    values: [userId, limit],
  });
}

/** Deletes some comments of a user and counts them off; answers how many there were to delete. */
export function deleteSomeCommentsOf(db: Queryable, userId: bigint, limit: number): Promise<number> {
  return deleteSome(db, {
    name: "delete-some-comments-of",
    doomed: `select post_id, id from comments where author_id = $1 order by id limit $2`,
    removed: `delete from comments using doomed, target
      where comments.id = doomed.id and doomed.post_id = target.id returning comments.post_id`,
    delta: { likes: 0, comments: -1 },
    values: [userId, limit],
  });
}

/**
 * The posts are locked first and in order, as in every statement that changes what hangs on posts. One that
 * a deletion takes meanwhile takes its likes and comments with it.
 */
async function deleteSome(
  db: Queryable,
  { name, doomed, removed, delta, values }: SomeDeletion,
): Promise<number> {
  const [row] = await db.query<{ count: bigint }>({
    name,
    text: `
    with doomed as materialized (${doomed}), target as materialized (
      select id from posts where id in (select post_id from doomed) order by id for key share
    ), removed as (${removed}), counted as (${addCounts("removed", delta)})
    select count(*) as count from doomed`,
    values,
  });
  return Number(row?.count ?? 0n);
}

interface SomeDeletion {
  readonly name: string;
  /** SQL of what is to be deleted: columns `post_id` and `id`. */
  readonly doomed: string;
  /** SQL that deletes it, as far as its post is among `target`; answers `post_id`. */
  readonly removed: string;
  readonly delta: Parameters<typeof addCounts>[1];
  readonly values: readonly unknown[];
}

/** Deletes the answers kept for a user's idempotency keys, which hold what the user wrote. */
export async function deleteAnswersFor(db: Queryable, userId: bigint): Promise<void> {
  await db.query({
    name: "delete-answers-for",
    text: `delete from idempotency_keys where caller_id = $1`,
    values: [userId],
  });
}
