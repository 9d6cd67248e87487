import type { Queryable } from "@chirrup/platform";

/** A sign-in that awaits its second factor. */
export interface SignInChallenge {
  readonly userId: bigint;
  /** Of the credential whose password was right. */
  readonly version: number;
}

export async function insertChallenge(
  db: Queryable,
  challenge: SignInChallenge & { tokenHash: Buffer; expiresAt: Date },
): Promise<void> {
  await db.query({
    name: "challenge_insert",
    text: `INSERT INTO sign_in_challenges (token_hash, user_id, version, expires_at) VALUES ($1, $2, $3, $4)`,
    values: [challenge.tokenHash, challenge.userId, challenge.version, challenge.expiresAt],
  });
}

export async function findChallenge(
  db: Queryable,
  tokenHash: Buffer,
  now: Date,
): Promise<SignInChallenge | undefined> {
  const [row] = await db.query<SignInChallenge>({
    name: "challenge_find",
    text: `SELECT user_id AS "userId", version FROM sign_in_challenges
           WHERE token_hash = $1 AND expires_at > $2`,
    values: [tokenHash, now],
  });
  return row;
}

/** Uses it up; false when another did. */
export async function takeChallenge(tx: Queryable, tokenHash: Buffer): Promise<boolean> {
  const rows = await tx.query({
    name: "challenge_take",
    text: "DELETE FROM sign_in_challenges WHERE token_hash = $1 RETURNING user_id",
    values: [tokenHash],
  });
  return rows.length === 1;
}

export async function forgetChallenges(tx: Queryable, userId: bigint): Promise<void> {
  await tx.query({
    name: "challenges_forget",
    text: "DELETE FROM sign_in_challenges WHERE user_id = $1",
    values: [userId],
  });
}

/** Removes up to `limit` that have expired. */
export async function purgeChallenges(db: Queryable, now: Date, limit: number): Promise<number> {
  const rows = await db.query({
    name: "challenges_purge",
    text: `DELETE FROM sign_in_challenges WHERE token_hash IN (
             SELECT token_hash FROM sign_in_challenges WHERE expires_at <= $1 LIMIT $2 FOR UPDATE SKIP LOCKED
           ) RETURNING user_id`,
    values: [now, limit],
  });
  return rows.length;
}
