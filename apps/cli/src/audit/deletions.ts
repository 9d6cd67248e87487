import pg from "pg";

type Database = "user" | "follow" | "post";

/** What may be left of deleted accounts. The user service empties its own rows in the deletion's transaction. */
interface Remains {
  readonly name: string;
  readonly database: Exclude<Database, "user">;
  /** SQL of the ids among $1 of whom something is left, and how many `rows`. */
  readonly find: string;
}

const unheard = `
  SELECT id, 1 AS rows FROM unnest($1::bigint[]) AS id
  WHERE NOT EXISTS (SELECT FROM deleted_accounts WHERE user_id = id)`;

function rowsOf(database: Remains["database"], table: string, column: string): Remains {
  const find = `SELECT ${column} AS id, count(*) AS rows FROM ${table} WHERE ${column} = ANY ($1::bigint[]) GROUP BY ${column}`;
  return { name: `${table}.${column}`, database, find };
}

const remains: readonly Remains[] = [
  { name: "the event", database: "post", find: unheard },
  rowsOf("post", "posts", "author_id"),
  rowsOf("post", "comments", "author_id"),
  rowsOf("post", "likes", "user_id"),
  rowsOf("post", "idempotency_keys", "caller_id"),
  { name: "the event", database: "follow", find: unheard },
  rowsOf("follow", "follows", "follower_id"),
  rowsOf("follow", "follows", "followee_id"),
  rowsOf("follow", "idempotency_keys", "caller_id"),
];

/** Something that is left of an account. */
export interface Remnant {
  readonly userId: string;
  readonly database: Database;
  /** Table and column; "the event" when the service has not yet heard of the deletion. */
  readonly where: string;
  readonly rows: string;
}

export interface DeletionsResult {
  /** Accounts that were deleted. */
  readonly deleted: number;
  /** Those of them of whom something is left. */
  readonly unfinished: number;
  readonly first: Remnant | null;
}

const accountsAtOnce = 1_000;

/**
 * Looks in every service for what is left of deleted accounts. A deletion is finished when each service has heard of it and
 * nothing is left: from then on nothing can come, since every write looks whether its account was deleted.
 *
 * Feeds are not looked at: a deleted post is left out when a feed is read, and `chirrup audit` compares them all.
 */
export async function auditDeletions(
  databases: Readonly<Record<Database, string>>,
): Promise<DeletionsResult> {
  await using stack = new AsyncDisposableStack();
  const open = async (database: Database): Promise<pg.Client> => {
    const client = new pg.Client({ connectionString: databases[database] });
    await client.connect();
    stack.defer(() => client.end());
    return client;
  };
  const clients = { user: await open("user"), follow: await open("follow"), post: await open("post") };

  let deleted = 0;
  const unfinished = new Set<string>();
  let first: Remnant | null = null;
  for (let after = "0"; ;) {
    const { rows: accounts } = await clients.user.query<{ id: string }>(
      "SELECT id::text FROM accounts WHERE deleted_at IS NOT NULL AND id > $1 ORDER BY accounts.id LIMIT $2",
      [after, accountsAtOnce],
    );
    const ids = accounts.map(({ id }) => id);
    deleted += ids.length;
    for (const { name, database, find } of remains) {
      const { rows: left } = await clients[database].query<{ id: string; rows: string }>(
        `SELECT id::text, rows::text FROM (${find}) AS remains ORDER BY remains.id`,
        [ids],
      );
      for (const { id, rows } of left) {
        unfinished.add(id);
        first ??= { userId: id, database, where: name, rows };
      }
    }
    const last = ids.at(-1);
    if (last === undefined || ids.length < accountsAtOnce) break;
    after = last;
  }
  return { deleted, unfinished: unfinished.size, first };
}
