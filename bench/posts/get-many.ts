import { openRedis, type Queryable, type Redis } from "@chirrup/platform";
import type { Stage } from "./processes.ts";

const pageSize = 20;
const viewerId = 7n;

/** How posts of a page are read. */
export interface GetMany {
  read(ids: readonly bigint[]): Promise<unknown[]>;
  close(): void;
}

const counted = (columns: string): string => `
  select ${columns}, counts.likes, counts.comments,
    exists (select from likes where post_id = post.id and user_id = $2) as liked
  from posts as post cross join lateral (
    select coalesce(sum(likes), 0)::bigint as likes, coalesce(sum(comments), 0)::bigint as comments
    from post_counts where post_id = post.id
  ) as counts
  where post.id = any ($1::bigint[])`;

/** What the service does: one statement for content, counts and what the viewer likes. */
export function readPosts(db: Queryable, ids: readonly bigint[]): Promise<unknown[]> {
  return db.query({
    name: "bench-whole",
    text: counted("post.id, post.author_id, post.content, post.edit_id"),
    values: [ids, viewerId],
  });
}

export function fromPostgres({ postgres }: Stage): GetMany {
  return { read: (ids) => readPosts(postgres, ids), close: () => undefined };
}

/** A cache of contents in front: one MGET, and beside it the statement for what no cache can know. */
export function throughRedis({
  postgres,
  redisUrl,
  log,
}: Stage): GetMany & { fill(ids: readonly bigint[]): Promise<void> } {
  const redis: Redis = openRedis({ url: redisUrl, log, name: "bench" });
  const key = (id: bigint): string => `post:${id}`;
  return {
    async fill(ids) {
      const rows = await postgres.query<{ id: bigint; author_id: bigint; content: string }>({
        name: "bench-fill",
        text: "select id, author_id, content from posts where id = any ($1::bigint[])",
        values: [ids],
      });
      await redis.mset(
        rows.flatMap((row) => [key(row.id), JSON.stringify([String(row.author_id), row.content])]),
      );
    },
    async read(ids) {
      const [entries, rows] = await Promise.all([
        redis.mget(ids.map(key)),
        postgres.query<{ id: bigint }>({
          name: "bench-rest",
          text: counted("post.id"),
          values: [ids, viewerId],
        }),
      ]);
      const contents = new Map(ids.map((id, index) => [id, entries[index]]));
      return rows.map((row) => {
        const [authorId, content] = JSON.parse(contents.get(row.id) ?? "[]") as [string, string];
        return { ...row, authorId: BigInt(authorId), content };
      });
    },
    close: () => redis.disconnect(),
  };
}

/** Writes posts with likes and comments as pages have them; answers their ids. */
export async function writePosts({ postgres }: Pick<Stage, "postgres">, count: number): Promise<bigint[]> {
  const first = 1_000_000n;
  await postgres.query({
    name: "bench-posts",
    text: `insert into posts (id, author_id, content)
      select $1::bigint + n, n % 100, repeat('A post of some length, as people write them. ', (1 + n % 6)::int)
      from generate_series(0, $2::bigint - 1) n`,
    values: [first, count],
  });
  await postgres.query({
    name: "bench-counts",
    text: `insert into post_counts (post_id, shard, likes, comments)
      select $1::bigint + n, shard, 3, 1 from generate_series(0, $2::bigint - 1) n, generate_series(0, 2) shard`,
    values: [first, count],
  });
  await postgres.query({
    name: "bench-likes",
    text: `insert into likes (post_id, user_id, id)
      select $1::bigint + n, $3, $1::bigint + n from generate_series(0, $2::bigint - 1, 3) n`,
    values: [first, count, viewerId],
  });
  await postgres.query({ name: "bench-analyze", text: "analyze" });
  return Array.from({ length: count }, (_, index) => first + BigInt(index));
}

/** Reads random pages of 20, 8 at a time; CPU of this process and pages a second. */
export async function readPages(
  { read }: GetMany,
  ids: readonly bigint[],
  pages: number,
): Promise<{ cpuUsPerPost: number; pagesPerS: number }> {
  let next = 0;
  const cpuBefore = process.cpuUsage();
  const startMs = performance.now();
  await Promise.all(
    Array.from({ length: 8 }, async () => {
      while (next < pages) {
        next += 1;
        const from = Math.floor(Math.random() * (ids.length - pageSize));
        const found = await read(ids.slice(from, from + pageSize));
        if (found.length !== pageSize) throw new Error(`${found.length} of ${pageSize} posts`);
      }
    }),
  );
  const { user, system } = process.cpuUsage(cpuBefore);
  return {
    cpuUsPerPost: (user + system) / pages / pageSize,
    pagesPerS: pages / ((performance.now() - startMs) / 1_000),
  };
}
