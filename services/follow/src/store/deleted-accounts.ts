import type { Queryable } from "@chirrup/platform";

/** Notes that an account is no more; twice is once. */
export async function insertDeletedAccount(db: Queryable, userId: bigint): Promise<void> {
  await db.query({
    name: "insert-deleted-account",
    text: `insert into deleted_accounts (user_id) values ($1) on conflict do nothing`,
    values: [userId],
  });
}

/** Which of some accounts have been deleted. */
export async function deletedAmong(db: Queryable, userIds: readonly bigint[]): Promise<bigint[]> {
  const rows = await db.query<{ id: bigint }>({
    name: "deleted-among",
    text: `select user_id as id from deleted_accounts where user_id = any ($1::bigint[])`,
    values: [userIds],
  });
  return rows.map(({ id }) => id);
}

/**
 * The transactions that write edges at this moment. Whatever writes later sees what is committed now: a
 * statement takes the lock on its table before its snapshot.
 */
export async function edgeWriters(db: Queryable): Promise<string[]> {
  const rows = await db.query<{ id: string }>({
    name: "edge-writers",
    text: `
      select distinct virtualtransaction as id from pg_locks
      where database = (select oid from pg_database where datname = current_database())
        and relation = 'follows'::regclass and mode = 'RowExclusiveLock' and granted`,
  });
  return rows.map(({ id }) => id);
}
