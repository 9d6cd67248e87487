import pg from "pg";

/** A post as the truth has it. */
export interface TruePost {
  readonly id: bigint;
  readonly authorId: bigint;
}

/** What home feeds must be: graph × posts, sorted. */
export interface Oracle extends AsyncDisposable {
  /** All who have an account, in ascending order. */
  readers(): Promise<readonly bigint[]>;
  /** The whole home feeds of some readers as the databases have them now, newest first. */
  homeFeeds(readers: readonly bigint[]): Promise<ReadonlyMap<bigint, readonly TruePost[]>>;
}

interface Joined {
  readonly id: string;
  readonly others: string;
}

/** Reads the three databases, of edges and posts only those that concern the readers in question. */
export async function openOracle(
  urls: Readonly<Record<"user" | "follow" | "post", string>>,
): Promise<Oracle> {
  const clients = {
    user: new pg.Client({ connectionString: urls.user }),
    follow: new pg.Client({ connectionString: urls.follow }),
    post: new pg.Client({ connectionString: urls.post }),
  };
  await Promise.all(Object.values(clients).map((client) => client.connect()));

  async function joined(
    client: pg.Client,
    query: string,
    ids: readonly bigint[],
  ): Promise<Map<bigint, bigint[]>> {
    const { rows } = await client.query<Joined>(query, [ids.map(String)]);
    return new Map(rows.map(({ id, others }) => [BigInt(id), others.split(",").map(BigInt)]));
  }

  return {
    async readers() {
      const { rows } = await clients.user.query<{ ids: string | null }>(
        "SELECT string_agg(id::text, ',' ORDER BY id) AS ids FROM accounts WHERE deleted_at IS NULL",
      );
      return rows[0]?.ids?.split(",").map(BigInt) ?? [];
    },
    async homeFeeds(readers) {
      const followees = await joined(
        clients.follow,
        `SELECT follower_id::text AS id, string_agg(followee_id::text, ',') AS others
         FROM follows WHERE follower_id = ANY ($1::bigint[]) GROUP BY follower_id`,
        readers,
      );
      const named = [...new Set([...readers, ...[...followees.values()].flat()])];
      const { rows: alive } = await clients.user.query<{ id: string }>(
        "SELECT id FROM accounts WHERE deleted_at IS NULL AND id = ANY ($1::bigint[])",
        [named.map(String)],
      );
      const posts = await joined(
        clients.post,
        `SELECT author_id::text AS id, string_agg(id::text, ',') AS others
         FROM posts WHERE author_id = ANY ($1::bigint[]) GROUP BY author_id`,
        alive.map(({ id }) => BigInt(id)),
      );
      const feedOf = (reader: bigint): TruePost[] =>
        [reader, ...(followees.get(reader) ?? [])]
          .flatMap((authorId) => (posts.get(authorId) ?? []).map((id) => ({ id, authorId })))
          .sort((a, b) => (a.id > b.id ? -1 : 1));
      return new Map(readers.map((reader) => [reader, feedOf(reader)]));
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(Object.values(clients).map((client) => client.end()));
    },
  };
}
