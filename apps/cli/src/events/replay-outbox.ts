import type { AppendableRecord, EventLogOperator } from "@chirrup/platform";
import pg from "pg";

const pageRows = 500;

export interface ReplayOutboxOptions {
  /** A database with an outbox, by a role that may read it. */
  readonly databaseUrl: string;
  readonly operator: Pick<EventLogOperator, "append">;
  /** Rows written in the last so many milliseconds are appended; the outbox keeps 48 hours. */
  readonly sinceMs: number;
  readonly onProgress: (rows: number) => void;
}

interface OutboxRow extends AppendableRecord {
  readonly id: string;
  readonly created: string;
}

/**
 * Appends the rows of an outbox to the log again, in the order of their writes, up to those that are there when it
 * begins. What was delivered before comes twice, which every consumer bears; what a lost slot has left out
 * comes now.
 *
 * @returns How many rows were appended.
 */
export async function replayOutbox(options: ReplayOutboxOptions): Promise<number> {
  const { databaseUrl, operator, sinceMs, onProgress } = options;
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    // One snapshot: rows that are written meanwhile are not awaited, and no dropped partition leaves a gap.
    await client.query("BEGIN READ ONLY ISOLATION LEVEL REPEATABLE READ");
    let rows = 0;
    let last = { created: "-infinity", id: "0" };
    for (;;) {
      const page: { rows: OutboxRow[] } = await client.query<OutboxRow>(
        `SELECT id::text AS id, created_at::text AS created, topic, key, payload FROM outbox
         WHERE created_at >= now() - $1 * interval '1 millisecond' AND (created_at, id) > ($2::timestamptz, $3::bigint)
         ORDER BY created_at, id LIMIT $4`,
        [sinceMs, last.created, last.id, pageRows],
      );
      const end = page.rows.at(-1);
      if (end === undefined) return rows;
      await operator.append(page.rows);
      rows += page.rows.length;
      last = end;
      onProgress(rows);
    }
  } finally {
    await client.end();
  }
}
