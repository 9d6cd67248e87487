import type { Queryable } from "@chirrup/platform";
import type { AttemptCount } from "../domain/attempt.ts";

/** How long until all of these may be tried again, in milliseconds; 0 means now. */
export async function delayOf(db: Queryable, keys: readonly Buffer[], now: Date): Promise<number> {
  const [row] = await db.query<{ notBefore: Date | null }>({
    name: "attempts_delay",
    text: `SELECT max(not_before) AS "notBefore" FROM attempts WHERE key = ANY ($1::bytea[])`,
    values: [keys],
  });
  return Math.max(0, (row?.notBefore?.getTime() ?? 0) - now.getTime());
}

/**
 * Counts a wrong try. In order of keys, so that two calls with the same keys wait for each other, not in a circle.
 */
export async function countFailure(db: Queryable, counts: readonly AttemptCount[], now: Date): Promise<void> {
  await db.query({
    name: "attempts_count_failure",
    text: `INSERT INTO attempts AS a (key, count, not_before, forget_at)
           SELECT key, 1,
             CASE WHEN free > 1 THEN $5::timestamptz ELSE $5::timestamptz + interval '1 s' END,
             $5::timestamptz + forget_ms * interval '1 ms'
           FROM unnest($1::bytea[], $2::int[], $3::int[], $4::int[]) AS wanted (key, free, max_delay_ms, forget_ms)
           ORDER BY key
           ON CONFLICT (key) DO UPDATE SET (count, not_before, forget_at) = (
             SELECT tried.count,
               CASE
                 WHEN tried.count < wanted.free THEN $5::timestamptz
                 ELSE $5::timestamptz
                   + least(wanted.max_delay_ms, 1000 * 2 ^ least(tried.count - wanted.free, 20)) * interval '1 ms'
               END,
               excluded.forget_at
             FROM unnest($1::bytea[], $2::int[], $3::int[]) AS wanted (key, free, max_delay_ms),
               LATERAL (SELECT CASE WHEN a.forget_at <= $5::timestamptz THEN 1 ELSE a.count + 1 END AS count) tried
             WHERE wanted.key = excluded.key
           )`,
    values: [
      counts.map(({ key }) => key),
      counts.map(({ limit }) => limit.free),
      counts.map(({ limit }) => limit.maxDelayMs),
      counts.map(({ limit }) => limit.forgetMs),
      now,
    ],
  });
}

/** Forgets a count and its delay. */
export async function forgetAttempts(db: Queryable, key: Buffer): Promise<void> {
  await db.query({ name: "attempts_forget", text: "DELETE FROM attempts WHERE key = $1", values: [key] });
}

/** Removes up to `limit` counts that are to be forgotten. */
export async function purgeAttempts(db: Queryable, now: Date, limit: number): Promise<number> {
  const rows = await db.query({
    name: "attempts_purge",
    text: `DELETE FROM attempts WHERE key IN (
             SELECT key FROM attempts WHERE forget_at <= $1 LIMIT $2 FOR UPDATE SKIP LOCKED
           ) RETURNING key`,
    values: [now, limit],
  });
  return rows.length;
}
