import type { Queryable } from "@chirrup/platform";

import type { Like } from "../domain/like.ts";
import { addCounts } from "./count.ts";
import { alive } from "./deleted-account.ts";

/**
 * Adds a like and counts it, unless it is there; false when there is no such post or no such account any more. One statement: a round
 * trip, and the shard's row is locked for no longer than that. `FOR KEY SHARE` comes first: see insertComment.
 */
export async function insertLike(db: Queryable, postId: bigint, { id, userId }: Like): Promise<boolean> {
  const [found] = await db.query<{ found: boolean }>({
    name: "insert-like",
    text: `
    with post as (
      select id from posts where id = $1 and ${alive("$2::bigint")} for key share
    ), added as (
      insert into likes (post_id, user_id, id) select id, $2, $3 from post
      on conflict do nothing returning post_id
    ), counted as (${addCounts("added", { likes: 1, comments: 0 })})
    select exists (select from post) as found`,
    values: [postId, userId, id],
  });
  return found?.found === true;
}

/** Removes a like and counts it off, if it is there; false when there is no such post. */
export async function deleteLike(db: Queryable, postId: bigint, userId: bigint): Promise<boolean> {
  const [found] = await db.query<{ found: boolean }>({
    name: "delete-like",
    text: `
    with post as (
      select id from posts where id = $1 for key share
    ), removed as (
      delete from likes using post where post_id = post.id and user_id = $2 returning post_id
    ), counted as (${addCounts("removed", { likes: -1, comments: 0 })})
    select exists (select from post) as found`,
    values: [postId, userId],
  });
  return found?.found === true;
}

/** A post's likes below an id, newest first. */
export function findLikes(db: Queryable, postId: bigint, before: bigint, limit: number): Promise<Like[]> {
  return db.query<Like>({
    name: "find-likes",
    text: `
    select id, user_id as "userId" from likes
    where post_id = $1 and id < $2
    order by id desc limit $3`,
    values: [postId, before, limit],
  });
}
