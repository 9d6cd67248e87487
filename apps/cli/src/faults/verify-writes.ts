import pg from "pg";
import type { Ledger, WrittenPost } from "./ledger.ts";

/** What was compared, and what was not as it must be. */
export interface CheckResult {
  readonly check: string;
  readonly compared: number;
  readonly faults: number;
  readonly first: string | null;
}

export function result(check: string, compared: number, faults: readonly string[]): CheckResult {
  return { check, compared, faults: faults.length, first: faults[0] ?? null };
}

async function rowsOf<R extends pg.QueryResultRow>(
  url: string,
  text: string,
  values: unknown[],
): Promise<R[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<R>(text, values)).rows;
  } finally {
    await client.end();
  }
}

/** How many rows of a post there may be. */
function expectedRows(post: WrittenPost): readonly number[] {
  if (post.outcome === "refused") return [0];
  if (post.outcome !== "acknowledged" || post.deletion === "ambiguous") return [0, 1];
  return post.deletion === "acknowledged" ? [0] : [1];
}

/** Compares the ledger's posts with the table: nothing lost, nothing twice, nothing back, ids in order. */
export async function verifyPosts(ledger: Ledger, databaseUrl: string, mark: string): Promise<CheckResult> {
  const rows = await rowsOf<{ id: string; author: string; content: string }>(
    databaseUrl,
    "SELECT id::text AS id, author_id::text AS author, content FROM posts WHERE starts_with(content, $1)",
    [`${mark}-`],
  );
  const byContent = Map.groupBy(rows, ({ content }) => content);
  const faults: string[] = [];
  const last = new Map<string, WrittenPost>();
  for (const post of ledger.posts) {
    const found = byContent.get(post.content) ?? [];
    byContent.delete(post.content);
    const what = `post ${post.id ?? ""} (${post.content}, ${post.outcome ?? "unanswered"}${post.deletion === undefined ? "" : `, deletion ${post.deletion}`})`;
    if (post.outcome === "refused") faults.push(`${what} was refused`);
    if (!expectedRows(post).includes(found.length)) faults.push(`${what} has ${found.length} rows`);
    const [row] = found;
    if (row === undefined) continue;
    if (row.author !== post.authorId) faults.push(`${what} has the author ${row.author}`);
    if (post.id === undefined) continue;
    if (row.id !== String(post.id)) faults.push(`${what} has the id ${row.id}`);
    const before = last.get(post.authorId);
    if (before?.id !== undefined && before.id >= post.id)
      faults.push(`${what} has no higher id than ${before.id}`);
    last.set(post.authorId, post);
  }
  for (const content of byContent.keys()) faults.push(`nobody wrote the post "${content}"`);
  return result("posts", ledger.posts.length, faults);
}

const tieQueries = {
  follow:
    "SELECT follower_id::text AS a, followee_id::text AS b FROM follows WHERE follower_id = ANY ($1::bigint[])",
  like: "SELECT user_id::text AS a, post_id::text AS b FROM likes WHERE user_id = ANY ($1::bigint[])",
} as const;

/** Compares follows or likes with the table. Likes of posts that are gone are gone with them. */
export async function verifyTies(
  ledger: Ledger,
  kind: "follow" | "like",
  databaseUrl: string,
): Promise<CheckResult> {
  const ties = [...ledger.ties.values()].filter((tie) => tie.kind === kind);
  const from = [...new Set(ties.map((tie) => tie.from))];
  const rows = await rowsOf<{ a: string; b: string }>(databaseUrl, tieQueries[kind], [from]);
  const there = new Set(rows.map(({ a, b }) => `${a} ${b}`));
  const deleted = new Set(
    ledger.posts.flatMap(({ id, deletionSentAt }) =>
      id === undefined || deletionSentAt === undefined ? [] : [String(id)],
    ),
  );
  const faults = ties.flatMap((tie) => {
    if (tie.either || (kind === "like" && deleted.has(tie.to))) return [];
    const found = there.has(`${tie.from} ${tie.to}`);
    return found === tie.there ? [] : [`${kind} ${tie.from} → ${tie.to} is ${found ? "" : "not "}there`];
  });
  return result(`${kind}s`, ties.length, faults);
}
