import type { Queryable } from "@chirrup/platform";

import type { Comment } from "../domain/comment.ts";
import { addCounts } from "./count.ts";
import { alive } from "./deleted-account.ts";

/**
 * Adds a comment and counts it; false when there is no such post or no such account any more. The lock on the post comes first, as in
 * every statement that changes what hangs on one, so that a deletion of the post cannot deadlock with it.
 */
export async function insertComment(
  db: Queryable,
  { id, postId, authorId, content }: Comment,
): Promise<boolean> {
  const counted = await db.query({
    name: "insert-comment",
    text: `
    with post as (
      select id from posts where id = $2 for key share
    ), added as (
      insert into comments (id, post_id, author_id, content) select $1, id, $3, $4 from post
      where ${alive("$3::bigint")} returning post_id
    ) ${addCounts("added", { likes: 0, comments: 1 })}`,
    values: [id, postId, authorId, content],
  });
  return counted.length > 0;
}

/** A post's comments below an id, newest first. */
export function findComments(
  db: Queryable,
  postId: bigint,
  before: bigint,
  limit: number,
): Promise<Comment[]> {
  return db.query<Comment>({
    name: "find-comments",
    brief: true,
    text: `
    select id, post_id as "postId", author_id as "authorId", content
    from comments where post_id = $1 and id < $2
    order by id desc limit $3`,
    values: [postId, before, limit],
  });
}

/** Who wrote a comment; undefined when there is none. */
export async function findCommenter(db: Queryable, commentId: bigint): Promise<bigint | undefined> {
  const [comment] = await db.query<{ authorId: bigint }>({
    name: "find-commenter",
    text: `select author_id as "authorId" from comments where id = $1`,
    values: [commentId],
  });
  return comment?.authorId;
}

/** Removes a comment of an author and counts it off; false when it is not theirs or not there. */
export async function deleteCommentOf(db: Queryable, authorId: bigint, commentId: bigint): Promise<boolean> {
  const counted = await db.query({
    name: "delete-comment-of",
    text: `
    with target as (
      select comment.id
      from comments as comment join posts as post on post.id = comment.post_id
      where comment.id = $1 and comment.author_id = $2
      for key share of post
    ), removed as (
      delete from comments using target where comments.id = target.id returning comments.post_id
    ) ${addCounts("removed", { likes: 0, comments: -1 })}`,
    values: [commentId, authorId],
  });
  return counted.length > 0;
}
