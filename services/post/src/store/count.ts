/** How many rows a post's counts are spread over. */
const shards = 8;

/**
 * SQL that adds to the counts of the posts in a CTE, for each row of it: a statement's last part. It answers one
 * row for each post. In the order of the posts, so that of two statements over many posts one waits for the other.
 *
 * Why a random shard: transactions that like the same post then seldom wait for the same row, and a sum over
 * at most eight neighbours in one index is what a read pays.
 */
export function addCounts(
  cte: string,
  delta: { readonly likes: -1 | 0 | 1; readonly comments: -1 | 0 | 1 },
): string {
  return `
    insert into post_counts as counted (post_id, shard, likes, comments)
    select post_id, floor(random() * ${shards}), ${delta.likes} * count(*), ${delta.comments} * count(*)
    from ${cte} group by post_id order by post_id
    on conflict (post_id, shard) do update set
      likes = counted.likes + excluded.likes,
      comments = counted.comments + excluded.comments
    returning 1`;
}

/** SQL that joins the counts of a table or alias `post`: columns `counts.likes` and `counts.comments`. */
export const joinCounts: string = `
    cross join lateral (
      select coalesce(sum(likes), 0)::bigint as likes, coalesce(sum(comments), 0)::bigint as comments
      from post_counts where post_id = post.id
    ) as counts`;
