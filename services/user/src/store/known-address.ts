import type { Queryable } from "@chirrup/platform";

const dayMs = 86_400_000;

/** Whether the account was signed in from there. Asked for id 0 it costs the same and is false. */
export async function isKnownAddress(db: Queryable, userId: bigint, addressKey: Buffer): Promise<boolean> {
  const rows = await db.query({
    name: "known_address_find",
    text: "SELECT FROM known_addresses WHERE user_id = $1 AND address_key = $2",
    values: [userId, addressKey],
  });
  return rows.length === 1;
}

/** Remembers the address; written once a day at most, however often it is used. */
export async function rememberAddress(
  tx: Queryable,
  userId: bigint,
  addressKey: Buffer,
  now: Date,
): Promise<void> {
  await tx.query({
    name: "known_address_remember",
    text: `INSERT INTO known_addresses AS k (user_id, address_key, last_at) VALUES ($1, $2, $3)
           ON CONFLICT (user_id, address_key) DO UPDATE SET last_at = $3 WHERE k.last_at < $4`,
    values: [userId, addressKey, now, new Date(now.getTime() - dayMs)],
  });
}

export async function forgetAddresses(tx: Queryable, userId: bigint): Promise<void> {
  await tx.query({
    name: "known_addresses_forget",
    text: "DELETE FROM known_addresses WHERE user_id = $1",
    values: [userId],
  });
}

/** Removes up to `limit` addresses not used since `before`. */
export async function purgeKnownAddresses(db: Queryable, before: Date, limit: number): Promise<number> {
  const rows = await db.query({
    name: "known_addresses_purge",
    text: `DELETE FROM known_addresses WHERE (user_id, address_key) IN (
             SELECT user_id, address_key FROM known_addresses WHERE last_at < $1 LIMIT $2 FOR UPDATE SKIP LOCKED
           ) RETURNING user_id`,
    values: [before, limit],
  });
  return rows.length;
}
