import type { Queryable } from "@chirrup/platform";

/** The second factor of one account. */
export interface StoredSecondFactor {
  readonly sealedSecret: Buffer;
  readonly confirmedAt: Date | null;
  readonly lastStep: bigint;
}

/** Its row stays locked until the transaction ends: the codes of one account are tried one after the other. */
export async function lockSecondFactor(
  tx: Queryable,
  userId: bigint,
): Promise<StoredSecondFactor | undefined> {
  const [row] = await tx.query<StoredSecondFactor>({
    name: "second_factor_lock",
    text: `SELECT sealed_secret AS "sealedSecret", confirmed_at AS "confirmedAt", last_step AS "lastStep"
           FROM second_factors WHERE user_id = $1 FOR UPDATE`,
    values: [userId],
  });
  return row;
}

/** Stores a secret to be confirmed, in place of another that was not. False when one is on. */
export async function putSecondFactor(db: Queryable, userId: bigint, sealedSecret: Buffer): Promise<boolean> {
  const rows = await db.query({
    name: "second_factor_put",
    text: `INSERT INTO second_factors AS f (user_id, sealed_secret) VALUES ($1, $2)
           ON CONFLICT (user_id) DO UPDATE SET sealed_secret = $2, last_step = 0
           WHERE f.confirmed_at IS NULL RETURNING user_id`,
    values: [userId, sealedSecret],
  });
  return rows.length === 1;
}

/** No code of this step or before is taken again. */
export async function useStep(tx: Queryable, userId: bigint, step: bigint): Promise<void> {
  await tx.query({
    name: "second_factor_use_step",
    text: "UPDATE second_factors SET last_step = $2 WHERE user_id = $1",
    values: [userId, step],
  });
}

export async function confirmSecondFactor(
  tx: Queryable,
  userId: bigint,
  now: Date,
  recoveryHashes: readonly Buffer[],
): Promise<void> {
  await tx.query({
    name: "second_factor_confirm",
    text: "UPDATE second_factors SET confirmed_at = $2 WHERE user_id = $1",
    values: [userId, now],
  });
  await tx.query({
    name: "recovery_codes_insert",
    text: "INSERT INTO recovery_codes (user_id, code_hash) SELECT $1, unnest($2::bytea[])",
    values: [userId, recoveryHashes],
  });
}

/** False when there is no such code, any more. */
export async function useRecoveryCode(tx: Queryable, userId: bigint, hash: Buffer): Promise<boolean> {
  const rows = await tx.query({
    name: "recovery_code_use",
    text: "DELETE FROM recovery_codes WHERE user_id = $1 AND code_hash = $2 RETURNING user_id",
    values: [userId, hash],
  });
  return rows.length === 1;
}

/** False when there was none. */
export async function deleteSecondFactor(tx: Queryable, userId: bigint): Promise<boolean> {
  const rows = await tx.query({
    name: "second_factor_delete",
    text: "DELETE FROM second_factors WHERE user_id = $1 RETURNING user_id",
    values: [userId],
  });
  return rows.length === 1;
}

/** When the second factor was last shown in a session; undefined when the account has none. */
export async function secondFactorShownAt(
  db: Queryable,
  userId: bigint,
  sessionId: bigint,
): Promise<{ shownAt: Date | null } | undefined> {
  const [row] = await db.query<{ shownAt: Date | null }>({
    name: "second_factor_shown_at",
    text: `SELECT s.second_factor_at AS "shownAt"
           FROM second_factors f LEFT JOIN sessions s ON s.id = $2 AND s.user_id = f.user_id
           WHERE f.user_id = $1 AND f.confirmed_at IS NOT NULL`,
    values: [userId, sessionId],
  });
  return row;
}

/** Remembers that the second factor was shown in this session. */
export async function markSecondFactorShown(tx: Queryable, sessionId: bigint, now: Date): Promise<void> {
  await tx.query({
    name: "session_mark_second_factor",
    text: "UPDATE sessions SET second_factor_at = $2 WHERE id = $1",
    values: [sessionId, now],
  });
}
