import { createLogger, leaseIds, openPostgres, type Postgres } from "@chirrup/platform";
import { createProgressBar, type ProgressBar } from "../../terminal/progress-bar.ts";
import { createRandom } from "../random.ts";
import { composeText } from "../text.ts";
import { drawAuthors, type NumberedGraph } from "./power-law.ts";

export interface BulkOptions {
  readonly databases: Readonly<Record<"user" | "follow" | "post", string>>;
  readonly graph: NumberedGraph;
  /** What the usernames begin with; the user's number follows. */
  readonly prefix: string;
  /** Whose password all get: an account of the user database. */
  readonly passwordOf: bigint;
  readonly posts: number;
  readonly randomSeed: number;
}

const rowsAtOnce = 20_000;

/**
 * Writes users, follows and posts straight into the three databases: one transaction for each, so that a run that was
 * interrupted is finished by the same command. Answers the users' ids by their numbers.
 *
 * No events are written, and none are missed: these users are new, and nobody has a timeline of them, so feeds are
 * built from the databases when they are first read. Numbers of followers are written as changes that the follow
 * service folds in, which moves the celebrity states with their events.
 */
export async function loadInBulk(options: BulkOptions): Promise<bigint[]> {
  const userIds = await inDatabase(options.databases.user, (db, next) => writeUsers(db, next, options));
  await inDatabase(options.databases.follow, (db, next) => writeFollows(db, next, options.graph, userIds));
  await inDatabase(options.databases.post, (db, next) => writePosts(db, next, options, userIds));
  return userIds;
}

type NextId = () => Promise<bigint>;

async function inDatabase<T>(url: string, work: (db: Postgres, next: NextId) => Promise<T>): Promise<T> {
  const log = createLogger({ service: "seed", level: "error", format: "pretty" });
  const stopping = new AbortController();
  const db = openPostgres({ url, applicationName: "chirrup-seed", log, statementTimeoutMs: 600_000 });
  try {
    const ids = await leaseIds({ postgres: db, log, signal: stopping.signal });
    try {
      return await work(db, async () => {
        for (;;) {
          try {
            return ids.next();
          } catch {
            // More than 4,096 were made in each of the last milliseconds.
            await new Promise((resolve) => setTimeout(resolve, 20));
          }
        }
      });
    } finally {
      stopping.abort();
      await ids.close();
    }
  } finally {
    await db.close();
  }
}

async function writeUsers(
  db: Postgres,
  next: NextId,
  { graph, prefix, passwordOf }: BulkOptions,
): Promise<bigint[]> {
  const [existing] = await db.query<{ ids: string | null }>({
    name: "seeded-users",
    text: `
      select string_agg(id::text, ',' order by id) as ids from accounts
      where starts_with(username, $1) and email like '%@seed.chirrup.example'`,
    values: [prefix],
  });
  const known = existing?.ids?.split(",").map(BigInt) ?? [];
  if (known.length === graph.users) return known;

  const bar = createProgressBar("users", graph.users);
  const userIds: bigint[] = [];
  await db.transaction(async (tx) => {
    await inBatches(graph.users, bar, async (from, to) => {
      for (let user = from; user < to; user += 1) userIds.push(await next());
      const names = Array.from({ length: to - from }, (_, index) => `${prefix}${from + index}`);
      await tx.query({
        name: "seed-users",
        text: `
          with fresh as (select * from unnest($1::bigint[], $2::text[]) as fresh (id, name)),
            added as (
              insert into accounts (id, username, username_skeleton, email, display_name)
              select id, name, replace(lower(translate(name, 'I10', 'llo') collate "C"), 'm', 'rn'),
                name || '@seed.chirrup.example', name
              from fresh returning id
            )
          insert into credentials (user_id, password_hash)
          select added.id, known.password_hash from added, credentials as known where known.user_id = $3`,
        values: [userIds.slice(from, to), names, passwordOf],
      });
    });
  });
  return userIds;
}

async function writeFollows(
  db: Postgres,
  next: NextId,
  { followers, edges }: NumberedGraph,
  userIds: readonly bigint[],
): Promise<void> {
  const [first] = await db.query<{ id: bigint }>({
    name: "seeded-follows",
    text: `select id from follows where followee_id = $1 limit 1`,
    values: [userIds[0] ?? 0n],
  });
  if (first !== undefined) return;

  const followees = new Int32Array(userIds.length);
  const bar = createProgressBar("follows", edges);
  let done = 0;
  let batch: { followers: bigint[]; followees: bigint[]; ids: bigint[] } = {
    followers: [],
    followees: [],
    ids: [],
  };
  await db.transaction(async (tx) => {
    const flush = async (): Promise<void> => {
      await tx.query({
        name: "seed-follows",
        text: `
          insert into follows (follower_id, followee_id, id)
          select * from unnest($1::bigint[], $2::bigint[], $3::bigint[])`,
        values: [batch.followers, batch.followees, batch.ids],
      });
      done += batch.ids.length;
      bar.update(done);
      batch = { followers: [], followees: [], ids: [] };
    };
    for (const [author, some] of followers.entries()) {
      for (const follower of some) {
        followees[follower] = (followees[follower] ?? 0) + 1;
        batch.followers.push(userIds[follower] ?? 0n);
        batch.followees.push(userIds[author] ?? 0n);
        batch.ids.push(await next());
        if (batch.ids.length === rowsAtOnce) await flush();
      }
    }
    await flush();
    await tx.query({
      name: "seed-follow-counts",
      text: `
        with counted as (
          select * from unnest($1::bigint[], $2::bigint[], $3::bigint[]) as counted (id, followers, following)
        ), folded as (insert into follower_deltas (followee_id, delta) select id, followers from counted)
        insert into follow_counts (user_id, following) select id, following from counted`,
      values: [userIds, followers.map(({ length }) => length), Array.from(followees)],
    });
  });
  bar.finish();
}

async function writePosts(
  db: Postgres,
  next: NextId,
  { graph, posts, randomSeed }: BulkOptions,
  userIds: readonly bigint[],
): Promise<void> {
  const authors = drawAuthors(graph.users, posts, randomSeed);
  const [first] = await db.query<{ id: bigint }>({
    name: "seeded-posts",
    text: `select id from posts where author_id = $1 limit 1`,
    values: [userIds[authors[0] ?? 0] ?? 0n],
  });
  if (first !== undefined || posts === 0) return;

  const random = createRandom(randomSeed);
  const bar = createProgressBar("posts", posts);
  await db.transaction((tx) =>
    inBatches(posts, bar, async (from, to) => {
      const ids: bigint[] = [];
      for (let post = from; post < to; post += 1) ids.push(await next());
      const authorIds = Array.from(authors.subarray(from, to), (author) => userIds[author] ?? 0n);
      const texts = ids.map(() => composeText(random));
      await tx.query({
        name: "seed-posts",
        text: `
          insert into posts (id, author_id, content)
          select * from unnest($1::bigint[], $2::bigint[], $3::text[])`,
        values: [ids, authorIds, texts],
      });
    }),
  );
}

async function inBatches(
  total: number,
  bar: ProgressBar,
  work: (from: number, to: number) => Promise<void>,
): Promise<void> {
  for (let from = 0; from < total; from += rowsAtOnce) {
    const to = Math.min(total, from + rowsAtOnce);
    await work(from, to);
    bar.update(to);
  }
  bar.finish();
}
