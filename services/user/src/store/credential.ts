import type { Queryable } from "@chirrup/platform";
import type { Account } from "../domain/account.ts";
import { usernameKey } from "../domain/username.ts";

/** An account with what proves its owner. */
export interface Credential {
  readonly account: Account;
  readonly passwordHash: string;
  /** Grows with each change of the password. */
  readonly version: number;
}

interface CredentialRow extends Account {
  readonly passwordHash: string;
  readonly version: number;
}

const select = `SELECT a.id, a.username, a.email, a.display_name AS "displayName", a.bio,
                       a.email_verified_at IS NOT NULL AS "emailVerified",
                       EXISTS (
                         SELECT FROM second_factors f WHERE f.user_id = a.id AND f.confirmed_at IS NOT NULL
                       ) AS "secondFactor",
                       c.password_hash AS "passwordHash", c.version
                FROM accounts a JOIN credentials c ON c.user_id = a.id`;

export async function insertCredential(tx: Queryable, userId: bigint, passwordHash: string): Promise<void> {
  await tx.query({
    name: "credential_insert",
    text: "INSERT INTO credentials (user_id, password_hash) VALUES ($1, $2)",
    values: [userId, passwordHash],
  });
}

export async function findCredentialByUsername(
  db: Queryable,
  username: string,
): Promise<Credential | undefined> {
  return first(
    await db.query<CredentialRow>({
      name: "credential_by_username",
      text: `${select} WHERE lower(a.username COLLATE "C") = $1`,
      values: [usernameKey(username)],
    }),
  );
}

/** @param email - In its normal form. */
export async function findCredentialByEmail(db: Queryable, email: string): Promise<Credential | undefined> {
  return first(
    await db.query<CredentialRow>({
      name: "credential_by_email",
      text: `${select} WHERE a.email = $1`,
      values: [email],
    }),
  );
}

export async function findCredential(db: Queryable, userId: bigint): Promise<Credential | undefined> {
  return first(
    await db.query<CredentialRow>({
      name: "credential_by_user",
      text: `${select} WHERE a.id = $1 AND a.deleted_at IS NULL`,
      values: [userId],
    }),
  );
}

/**
 * Whether the credential is still at this version; it stays there until the transaction ends. So a
 * session opened here was opened by a password that is in force, or is ended by the change that follows.
 */
export async function holdCredential(tx: Queryable, userId: bigint, version: number): Promise<boolean> {
  const rows = await tx.query({
    name: "credential_hold",
    text: "SELECT FROM credentials WHERE user_id = $1 AND version = $2 FOR SHARE",
    values: [userId, version],
  });
  return rows.length === 1;
}

/** False when another change came first. */
export async function replacePassword(
  tx: Queryable,
  userId: bigint,
  fromVersion: number,
  passwordHash: string,
): Promise<boolean> {
  const rows = await tx.query({
    name: "credential_replace",
    text: `UPDATE credentials SET password_hash = $3, version = version + 1
           WHERE user_id = $1 AND version = $2 RETURNING user_id`,
    values: [userId, fromVersion, passwordHash],
  });
  return rows.length === 1;
}

/** Sets the password whatever it was. False when the account was deleted. */
export async function resetPassword(tx: Queryable, userId: bigint, passwordHash: string): Promise<boolean> {
  const rows = await tx.query({
    name: "credential_reset",
    text: `UPDATE credentials SET password_hash = $2, version = version + 1
           WHERE user_id = $1 RETURNING user_id`,
    values: [userId, passwordHash],
  });
  return rows.length === 1;
}

/** Stores the same password at another cost, unless it was changed meanwhile. */
export async function rehashPassword(
  db: Queryable,
  userId: bigint,
  version: number,
  passwordHash: string,
): Promise<void> {
  await db.query({
    name: "credential_rehash",
    text: "UPDATE credentials SET password_hash = $3 WHERE user_id = $1 AND version = $2",
    values: [userId, version, passwordHash],
  });
}

/** False when there is none: the account was deleted before. */
export async function deleteCredential(tx: Queryable, userId: bigint): Promise<boolean> {
  const rows = await tx.query({
    name: "credential_delete",
    text: "DELETE FROM credentials WHERE user_id = $1 RETURNING user_id",
    values: [userId],
  });
  return rows.length === 1;
}

function first(rows: readonly CredentialRow[]): Credential | undefined {
  const [row] = rows;
  if (row === undefined) return undefined;
  const { passwordHash, version, ...account } = row;
  return { account, passwordHash, version };
}
