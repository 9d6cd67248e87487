import type { Queryable } from "@chirrup/platform";

/** Notes that an account is no more; twice is once. */
export async function insertDeletedAccount(db: Queryable, userId: bigint): Promise<void> {
  await db.query({
    name: "insert-deleted-account",
    text: `insert into deleted_accounts (user_id) values ($1) on conflict do nothing`,
    values: [userId],
  });
}

/** SQL that holds while the account of a bigint expression has not been deleted. */
export function alive(userId: string): string {
  return `not exists (select from deleted_accounts where user_id = ${userId})`;
}

export async function isDeleted(db: Queryable, userId: bigint): Promise<boolean> {
  const rows = await db.query({
    name: "is-deleted-account",
    text: `select from deleted_accounts where user_id = $1`,
    values: [userId],
  });
  return rows.length > 0;
}

/**
 * The transactions that write posts, comments or likes at this moment. Whatever writes later sees what is
 * committed now: a statement takes the lock on its table before its snapshot.
 */
export async function findWriters(db: Queryable): Promise<string[]> {
  const rows = await db.query<{ id: string }>({
    name: "find-writers",
    text: `
    select distinct virtualtransaction as id from pg_locks
    where database = (select oid from pg_database where datname = current_database())
      and relation in ('posts'::regclass, 'comments'::regclass, 'likes'::regclass)
      and mode = 'RowExclusiveLock' and granted`,
  });
  return rows.map(({ id }) => id);
}
