import type { Queryable } from "@chirrup/platform";

import type { CountedPost } from "../domain/post.ts";

/** What somebody knows of some posts: parallel lists. */
export interface KnownPosts {
  readonly ids: readonly bigint[];
  /** `editId`, or the post's id when it was never edited; 0 for a post of which nothing is known. */
  readonly versionIds: readonly bigint[];
  readonly likeCounts: readonly bigint[];
  readonly commentCounts: readonly bigint[];
}

/** Who looks at which posts: parallel lists. */
export interface Views {
  readonly viewerIds: readonly bigint[];
  readonly postIds: readonly bigint[];
}

/** What is other than it is known, and who likes what of what they look at. */
export interface PostChanges {
  readonly changed: readonly CountedPost[];
  readonly goneIds: readonly bigint[];
  readonly liked: readonly { readonly viewerId: bigint; readonly postId: bigint }[];
}

/** A post that has changed, one that is gone (no author), or a like (a viewer). */
interface Row extends Omit<CountedPost, "authorId"> {
  readonly authorId: bigint | null;
  readonly viewerId: bigint | null;
}

/**
 * Compares some posts with what is known of them. One round trip, and no row for a post that is as it was known.
 *
 * Why the counts are summed for all posts in one group and not for each by a subquery: starting a plan for each post
 * takes longer than reading its few rows.
 */
export async function findPostChanges(
  db: Queryable,
  known: KnownPosts,
  { viewerIds, postIds }: Views,
): Promise<PostChanges> {
  const rows = await db.query<Row>({
    name: "find-post-changes",
    brief: true,
    text: `
    with counts as (
      select post_id, sum(likes)::bigint as likes, sum(comments)::bigint as comments
      from post_counts where post_id = any ($1::bigint[]) group by post_id
    )
    select known.id, post.author_id as "authorId", post.content, post.edit_id as "editId",
      coalesce(counts.likes, 0) as "likeCount", coalesce(counts.comments, 0) as "commentCount",
      null::bigint as "viewerId"
    from unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[]) as known (id, version_id, likes, comments)
    left join (select * from posts where id = any ($1::bigint[])) as post on post.id = known.id
    left join counts on counts.post_id = known.id
    where post.id is null
      or (known.version_id, known.likes, known.comments) is distinct from
        (coalesce(post.edit_id, post.id), coalesce(counts.likes, 0), coalesce(counts.comments, 0))
    union all
    select post_id, null, null, null, null, null, user_id
    from unnest($5::bigint[], $6::bigint[]) as view (user_id, post_id) join likes using (user_id, post_id)`,
    values: [known.ids, known.versionIds, known.likeCounts, known.commentCounts, viewerIds, postIds],
  });
  const changes = {
    changed: [] as CountedPost[],
    goneIds: [] as bigint[],
    liked: [] as { viewerId: bigint; postId: bigint }[],
  };
  for (const { authorId, viewerId, ...post } of rows) {
    if (viewerId !== null) changes.liked.push({ viewerId, postId: post.id });
    else if (authorId === null) changes.goneIds.push(post.id);
    else changes.changed.push({ ...post, authorId });
  }
  return changes;
}
