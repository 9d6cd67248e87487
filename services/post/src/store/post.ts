import type { Queryable } from "@chirrup/platform";

import type { CountedPost } from "../domain/post.ts";
import { joinCounts } from "./count.ts";

export interface SeenPost extends CountedPost {
  /** Whether the viewer likes it. */
  readonly liked: boolean;
}

/** SQL of the columns of a CountedPost, from `post` and `joinCounts`. */
export const countedColumns: string = `post.id, post.author_id as "authorId", post.content, post.edit_id as "editId",
      counts.likes as "likeCount", counts.comments as "commentCount"`;

/** The posts that exist among some, in no order, as a viewer sees them. One round trip. */
export function findPosts(
  db: Queryable,
  ids: readonly bigint[],
  viewerId: bigint | undefined,
): Promise<SeenPost[]> {
  return db.query<SeenPost>({
    name: "find-posts",
    brief: true,
    text: `
    select ${countedColumns},
      exists (select from likes where post_id = post.id and user_id = $2) as liked
    from posts as post ${joinCounts}
    where post.id = any ($1::bigint[])`,
    values: [ids, viewerId ?? null],
  });
}

/** Who wrote a post; undefined when there is none. */
export async function findAuthor(db: Queryable, postId: bigint): Promise<bigint | undefined> {
  const [post] = await db.query<{ authorId: bigint }>({
    name: "find-author",
    brief: true,
    text: `select author_id as "authorId" from posts where id = $1`,
    values: [postId],
  });
  return post?.authorId;
}

/** An author's posts below an id, newest first. */
export function findPostsOf(
  db: Queryable,
  authorId: bigint,
  before: bigint,
  limit: number,
): Promise<CountedPost[]> {
  return db.query<CountedPost>({
    name: "find-posts-of",
    brief: true,
    text: `
    select ${countedColumns}
    from posts as post ${joinCounts}
    where post.author_id = $1 and post.id < $2
    order by post.id desc limit $3`,
    values: [authorId, before, limit],
  });
}

/**
 * Deletes a post of an author with its comments, likes and counts; false when it is not theirs or not there.
 * It waits for those who are liking or commenting on it; those who come after find it gone.
 */
export async function deletePostOf(db: Queryable, authorId: bigint, postId: bigint): Promise<boolean> {
  const gone = await db.query({
    name: "delete-post-of",
    text: `delete from posts where id = $1 and author_id = $2 returning 1`,
    values: [postId, authorId],
  });
  return gone.length > 0;
}
