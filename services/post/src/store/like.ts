import type { Queryable } from "@chirrup/platform";

import type { Like } from "../domain/like.ts";
import { addCounts } from "./count.ts";
import { alive } from "./deleted-account.ts";

/** What became of changes to the likes of one post. */
export interface LikesChange {
  /** False when there is no such post; then nothing has changed. */
  readonly found: boolean;
  /** Those of the users whose accounts have been deleted, and who therefore cannot like. */
  readonly deleted: readonly bigint[];
}

/**
 * Adds likes of a post and counts them, but for those that are there. One statement: a round trip and a commit,
 * and the count is locked for no longer than that. `FOR KEY SHARE` comes first: see insertComment. In the order
 * of the users, so that of two statements over the same users one waits for the other.
 */
export async function insertLikes(
  db: Queryable,
  postId: bigint,
  likes: readonly Like[],
): Promise<LikesChange> {
  const [change] = await db.query<LikesChange>({
    name: "insert-likes",
    text: `
    with post as (
      select id from posts where id = $1 for key share
    ), added as (
      insert into likes (post_id, user_id, id)
      select post.id, wanted.user_id, wanted.id
      from post, unnest($2::bigint[], $3::bigint[]) as wanted (user_id, id)
      where ${alive("wanted.user_id")}
      order by wanted.user_id, wanted.id
      on conflict do nothing returning post_id
    ), counted as (${addCounts("added", { likes: 1, comments: 0 })})
    select exists (select from post) as found,
      array(select user_id from deleted_accounts where user_id = any ($2::bigint[])) as deleted`,
    values: [postId, likes.map(({ userId }) => userId), likes.map(({ id }) => id)],
  });
  return change ?? { found: false, deleted: [] };
}

/** Removes likes of a post and counts them off, as far as they are there; false when there is no such post. */
export async function deleteLikes(
  db: Queryable,
  postId: bigint,
  userIds: readonly bigint[],
): Promise<boolean> {
  const [change] = await db.query<{ found: boolean }>({
    name: "delete-likes",
    text: `
    with post as (
      select id from posts where id = $1 for key share
    ), target as (
      select likes.user_id, likes.post_id from likes join post on post.id = likes.post_id
      where likes.user_id = any ($2::bigint[])
      order by likes.user_id for update of likes
    ), removed as (
      delete from likes using target
      where likes.user_id = target.user_id and likes.post_id = target.post_id returning likes.post_id
    ), counted as (${addCounts("removed", { likes: -1, comments: 0 })})
    select exists (select from post) as found`,
    values: [postId, userIds],
  });
  return change?.found === true;
}

/** A post's likes below an id, newest first. */
export function findLikes(db: Queryable, postId: bigint, before: bigint, limit: number): Promise<Like[]> {
  return db.query<Like>({
    name: "find-likes",
    brief: true,
    text: `
    select id, user_id as "userId" from likes
    where post_id = $1 and id < $2
    order by id desc limit $3`,
    values: [postId, before, limit],
  });
}
