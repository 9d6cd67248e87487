import type { Logger } from "../log/index.ts";
import { keepUp } from "../postgres/keep-up.ts";
import type { Postgres } from "../postgres/index.ts";

const everyMs = 5 * 60_000;
const batchRows = 1_000;

/**
 * Deletes keys older than 24 hours, now and every few minutes until `signal` aborts. Any number of
 * instances may do it at once. In small batches, so that no transaction is long.
 */
export function maintainIdempotencyKeys(options: {
  postgres: Postgres;
  log: Logger;
  signal: AbortSignal;
}): Promise<void> {
  const { postgres, log, signal } = options;
  return keepUp({
    name: "idempotency keys",
    everyMs,
    log,
    signal,
    async run() {
      while (!signal.aborted && (await deleteBatch(postgres)) === batchRows);
    },
  });
}

async function deleteBatch(postgres: Postgres): Promise<number> {
  const rows = await postgres.query({
    name: "idempotency_keys_expire",
    text: `
      with expired as materialized (
        select ctid from idempotency_keys
        where created_at < now() - interval '24 hours'
        order by created_at
        limit $1
        for update skip locked
      )
      delete from idempotency_keys using expired where idempotency_keys.ctid = expired.ctid
      returning 1`,
    values: [batchRows],
  });
  return rows.length;
}
