import pg from "pg";

/** A post as the truth has it. */
export interface TruePost {
  readonly id: bigint;
  readonly authorId: bigint;
}

/** What every home feed must be: graph × posts, sorted. */
export interface Oracle {
  readonly readers: readonly bigint[];
  /** The reader's whole home feed, newest first. */
  homeFeed(reader: bigint): readonly TruePost[];
}

async function rows<R extends Record<string, string>>(url: string, query: string): Promise<R[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<R>(query)).rows;
  } finally {
    await client.end();
  }
}

/** Reads the accounts, edges and posts of the three databases as they are now. */
export async function readOracle(
  urls: Readonly<Record<"user" | "follow" | "post", string>>,
): Promise<Oracle> {
  const [accounts, edges, posts] = await Promise.all([
    rows<{ id: string }>(urls.user, "SELECT id FROM accounts WHERE deleted_at IS NULL ORDER BY id"),
    rows<{ follower_id: string; followee_id: string }>(
      urls.follow,
      "SELECT follower_id, followee_id FROM follows",
    ),
    rows<{ id: string; author_id: string }>(urls.post, "SELECT id, author_id FROM posts ORDER BY id DESC"),
  ]);
  const alive = new Set(accounts.map(({ id }) => BigInt(id)));
  const postsOf = new Map<bigint, TruePost[]>();
  for (const row of posts) {
    const post = { id: BigInt(row.id), authorId: BigInt(row.author_id) };
    if (!alive.has(post.authorId)) continue;
    const own = postsOf.get(post.authorId);
    if (own === undefined) postsOf.set(post.authorId, [post]);
    else own.push(post);
  }
  const followeesOf = Map.groupBy(edges, (edge) => BigInt(edge.follower_id));
  return {
    readers: [...alive],
    homeFeed(reader) {
      const followees = followeesOf.get(reader)?.map((edge) => BigInt(edge.followee_id)) ?? [];
      return [reader, ...followees]
        .flatMap((author) => postsOf.get(author) ?? [])
        .sort((a, b) => (a.id > b.id ? -1 : 1));
    },
  };
}
