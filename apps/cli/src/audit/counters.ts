import pg from "pg";

type Database = "follow" | "post";

/** Numbers that are kept beside the rows they count. */
interface Counter {
  readonly name: "likes" | "comments" | "followers" | "following";
  readonly database: Database;
  /** SQL of the numbers that are not right: `id` of the post or user, `kept` and `rows`. */
  readonly wrong: string;
  /** SQL that adds `rows - kept` to what is kept, for each row of a CTE `wrong`. */
  readonly mend: string;
}

function postCounter(name: "likes" | "comments"): Counter {
  return {
    name,
    database: "post",
    wrong: `
      SELECT posts.id, coalesce(counted.kept, 0) AS kept, coalesce(actual.rows, 0) AS rows
      FROM posts
      LEFT JOIN (SELECT post_id, sum(${name}) AS kept FROM post_counts GROUP BY post_id) AS counted
        ON counted.post_id = posts.id
      LEFT JOIN (SELECT post_id, count(*) AS rows FROM ${name} GROUP BY post_id) AS actual
        ON actual.post_id = posts.id
      WHERE coalesce(counted.kept, 0) <> coalesce(actual.rows, 0)
      FOR KEY SHARE OF posts`,
    mend: `
      INSERT INTO post_counts AS counted (post_id, shard, likes, comments)
      SELECT id, 0, ${name === "likes" ? "rows - kept, 0" : "0, rows - kept"} FROM wrong
      ON CONFLICT (post_id, shard) DO UPDATE
      SET likes = counted.likes + excluded.likes, comments = counted.comments + excluded.comments`,
  };
}

function followCounter(name: "followers" | "following", kept: string, end: string, mend: string): Counter {
  return {
    name,
    database: "follow",
    wrong: `
      SELECT id, coalesce(kept, 0) AS kept, coalesce(rows, 0) AS rows
      FROM (SELECT id, sum(n) AS kept FROM (${kept}) AS part (id, n) GROUP BY id) AS counted
      FULL JOIN (SELECT ${end} AS id, count(*) AS rows FROM follows GROUP BY ${end}) AS actual USING (id)
      WHERE coalesce(kept, 0) <> coalesce(rows, 0)`,
    mend,
  };
}

const counters: readonly Counter[] = [
  postCounter("likes"),
  postCounter("comments"),
  followCounter(
    "followers",
    "SELECT user_id, followers FROM follow_counts UNION ALL SELECT followee_id, delta FROM follower_deltas",
    "followee_id",
    "INSERT INTO follower_deltas (followee_id, delta) SELECT id, rows - kept FROM wrong",
  ),
  followCounter(
    "following",
    "SELECT user_id, following FROM follow_counts",
    "follower_id",
    `MERGE INTO follow_counts AS counts USING wrong ON counts.user_id = wrong.id
      WHEN MATCHED THEN UPDATE SET following = counts.following + (wrong.rows - wrong.kept)
      WHEN NOT MATCHED THEN INSERT (user_id, following) VALUES (wrong.id, wrong.rows)`,
  ),
];

/** A number that is not the number of its rows. */
export interface CounterDifference {
  readonly counter: Counter["name"];
  /** The post or the user. */
  readonly id: string;
  readonly kept: string;
  readonly rows: string;
}

export interface CountersResult {
  /** Kinds of counters looked at. */
  readonly counters: number;
  /** Numbers that were wrong. */
  readonly differences: number;
  /** Those of them that were put right. */
  readonly repaired: number;
  readonly first: CounterDifference | null;
}

/**
 * Compares every counter with the rows that it counts, each kind in one statement and so in one snapshot: a
 * row and its count are written together, so those who write meanwhile make no difference.
 *
 * A repair adds the difference to what is kept, in the statement that finds it. It does not set it, so what
 * others add at the same time stays.
 */
export async function auditCounters(options: {
  readonly databases: Readonly<Record<Database, string>>;
  readonly repair: boolean;
}): Promise<CountersResult> {
  const differences: CounterDifference[] = [];
  for (const counter of counters) {
    const client = new pg.Client({ connectionString: options.databases[counter.database] });
    await client.connect();
    try {
      const mended = options.repair ? `, mended AS (${counter.mend})` : "";
      const { rows } = await client.query<Omit<CounterDifference, "counter">>(
        `WITH wrong AS MATERIALIZED (${counter.wrong})${mended}
         SELECT id::text AS id, kept::text AS kept, rows::text AS rows FROM wrong ORDER BY wrong.id`,
      );
      differences.push(...rows.map((row) => ({ counter: counter.name, ...row })));
    } finally {
      await client.end();
    }
  }
  return {
    counters: counters.length,
    differences: differences.length,
    repaired: options.repair ? differences.length : 0,
    first: differences[0] ?? null,
  };
}
