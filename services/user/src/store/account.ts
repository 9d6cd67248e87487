import type { Queryable } from "@chirrup/platform";
import type { Account, Profile } from "../domain/account.ts";
import { usernameKey, usernameSkeleton } from "../domain/username.ts";

const profileColumns = `id, username, display_name AS "displayName", bio`;
const accountColumns = `${profileColumns}, email, email_verified_at IS NOT NULL AS "emailVerified",
  EXISTS (
    SELECT FROM second_factors f WHERE f.user_id = accounts.id AND f.confirmed_at IS NOT NULL
  ) AS "secondFactor"`;

/** False when the username or the e-mail is taken; `takenFields` tells which. */
export async function insertAccount(tx: Queryable, account: Account): Promise<boolean> {
  const rows = await tx.query({
    name: "account_insert",
    text: `INSERT INTO accounts (id, username, username_skeleton, email, display_name, bio)
           VALUES ($1, $2, $3, $4, $5, $6)
           ON CONFLICT DO NOTHING RETURNING id`,
    values: [
      account.id,
      account.username,
      usernameSkeleton(account.username),
      account.email,
      account.displayName,
      account.bio,
    ],
  });
  return rows.length === 1;
}

export async function takenFields(
  db: Queryable,
  wanted: { username: string; email: string },
): Promise<{ username: boolean; email: boolean }> {
  const [row] = await db.query<{ username: boolean; email: boolean }>({
    name: "account_taken_fields",
    text: `SELECT EXISTS (
                    SELECT FROM accounts WHERE lower(username COLLATE "C") = $1 OR username_skeleton = $2
                  ) AS username,
                  EXISTS (SELECT FROM accounts WHERE email = $3) AS email`,
    values: [usernameKey(wanted.username), usernameSkeleton(wanted.username), wanted.email],
  });
  return row ?? { username: false, email: false };
}

export async function findAccount(db: Queryable, id: bigint): Promise<Account | undefined> {
  const [row] = await db.query<Account>({
    name: "account_by_id",
    text: `SELECT ${accountColumns} FROM accounts WHERE id = $1 AND deleted_at IS NULL`,
    values: [id],
  });
  return row;
}

/** @param email - In its normal form. */
export async function findAccountByEmail(db: Queryable, email: string): Promise<Account | undefined> {
  const [row] = await db.query<Account>({
    name: "account_by_email",
    text: `SELECT ${accountColumns} FROM accounts WHERE email = $1`,
    values: [email],
  });
  return row;
}

/**
 * The address is the account's, and verified.
 *
 * @throws A violation of accounts_email_key when another account has it.
 */
export async function verifyEmail(tx: Queryable, id: bigint, email: string, now: Date): Promise<void> {
  await tx.query({
    name: "account_verify_email",
    text: "UPDATE accounts SET email = $2, email_verified_at = $3 WHERE id = $1 AND deleted_at IS NULL",
    values: [id, email, now],
  });
}

/** Live accounts of these ids, in no order. */
export async function findProfiles(db: Queryable, ids: readonly bigint[]): Promise<Profile[]> {
  return db.query<Profile>({
    name: "profiles_by_id",
    brief: true,
    text: `SELECT ${profileColumns} FROM accounts WHERE id = ANY ($1::bigint[]) AND deleted_at IS NULL`,
    values: [ids],
  });
}

export async function findProfileByUsername(db: Queryable, username: string): Promise<Profile | undefined> {
  const [row] = await db.query<Profile>({
    name: "profile_by_username",
    brief: true,
    text: `SELECT ${profileColumns} FROM accounts WHERE lower(username COLLATE "C") = $1`,
    values: [usernameKey(username)],
  });
  return row;
}

/** Sets the fields that are present; undefined when there is no such live account. */
export async function updateProfile(
  tx: Queryable,
  id: bigint,
  change: { displayName?: string | undefined; bio?: string | undefined },
): Promise<Account | undefined> {
  const [row] = await tx.query<Account>({
    name: "account_update_profile",
    text: `UPDATE accounts SET display_name = coalesce($2, display_name), bio = coalesce($3, bio)
           WHERE id = $1 AND deleted_at IS NULL RETURNING ${accountColumns}`,
    values: [id, change.displayName ?? null, change.bio ?? null],
  });
  return row;
}

/** Empties the account and frees its username and e-mail. */
export async function scrubAccount(tx: Queryable, id: bigint, now: Date): Promise<void> {
  await tx.query({
    name: "account_scrub",
    text: `UPDATE accounts SET username = NULL, username_skeleton = NULL, email = NULL, email_verified_at = NULL,
             display_name = '', bio = '', deleted_at = $2
           WHERE id = $1 AND deleted_at IS NULL`,
    values: [id, now],
  });
}
