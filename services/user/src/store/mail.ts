import type { Queryable } from "@chirrup/platform";
import type { MailKind, TokenMailKind } from "../domain/mail.ts";

/** A mail that is to be written and sent. */
export interface QueuedMail {
  readonly id: bigint;
  readonly kind: MailKind;
  readonly email: string;
  /** Null when it was asked for by address alone. */
  readonly userId: bigint | null;
  readonly createdAt: Date;
  readonly failures: number;
}

/** A token that was mailed. */
export interface MailToken {
  readonly userId: bigint;
  readonly email: string;
}

/** Queues a mail; one that waits already is not queued again. */
export async function queueMail(
  db: Queryable,
  mail: { kind: MailKind; email: string; userId?: bigint },
  now: Date,
): Promise<void> {
  await db.query({
    name: "mail_queue_insert",
    text: `INSERT INTO mail_queue (kind, email, user_id, created_at, not_before) VALUES ($1, $2, $3, $4, $4)
           ON CONFLICT DO NOTHING`,
    values: [mail.kind, mail.email, mail.userId ?? null, now],
  });
}

/** Takes up to `limit` mails that are due, until `until`: a process that dies leaves them to the others then. */
export async function takeMails(db: Queryable, now: Date, until: Date, limit: number): Promise<QueuedMail[]> {
  return db.query<QueuedMail>({
    name: "mail_queue_take",
    text: `UPDATE mail_queue SET not_before = $2
           WHERE id IN (
             SELECT id FROM mail_queue WHERE not_before <= $1 ORDER BY not_before LIMIT $3 FOR UPDATE SKIP LOCKED
           )
           RETURNING id, kind, email, user_id AS "userId", created_at AS "createdAt", failures`,
    values: [now, until, limit],
  });
}

export async function removeMail(db: Queryable, id: bigint): Promise<void> {
  await db.query({ name: "mail_queue_remove", text: "DELETE FROM mail_queue WHERE id = $1", values: [id] });
}

export async function putOffMail(db: Queryable, id: bigint, until: Date): Promise<void> {
  await db.query({
    name: "mail_queue_put_off",
    text: "UPDATE mail_queue SET not_before = $2, failures = failures + 1 WHERE id = $1",
    values: [id, until],
  });
}

/** False when the account has as many live tokens of the kind as it may. */
export async function insertMailToken(
  db: Queryable,
  token: { hash: Buffer; kind: TokenMailKind; userId: bigint; email: string; expiresAt: Date },
  limit: { now: Date; maxLive: number },
): Promise<boolean> {
  const rows = await db.query({
    name: "mail_token_insert",
    text: `INSERT INTO mail_tokens (token_hash, kind, user_id, email, expires_at)
           SELECT $1, $2, $3, $4, $5
           WHERE (SELECT count(*) FROM mail_tokens WHERE user_id = $3 AND kind = $2 AND expires_at > $6) < $7
           RETURNING user_id`,
    values: [token.hash, token.kind, token.userId, token.email, token.expiresAt, limit.now, limit.maxLive],
  });
  return rows.length === 1;
}

export async function findMailToken(
  db: Queryable,
  kind: TokenMailKind,
  hash: Buffer,
  now: Date,
): Promise<MailToken | undefined> {
  const [row] = await db.query<MailToken>({
    name: "mail_token_find",
    text: `SELECT user_id AS "userId", email FROM mail_tokens
           WHERE token_hash = $1 AND kind = $2 AND expires_at > $3`,
    values: [hash, kind, now],
  });
  return row;
}

/** Uses the token up: of any number at once, one gets it. */
export async function takeMailToken(
  tx: Queryable,
  kind: TokenMailKind,
  hash: Buffer,
  now: Date,
): Promise<MailToken | undefined> {
  const [row] = await tx.query<MailToken>({
    name: "mail_token_take",
    text: `DELETE FROM mail_tokens WHERE token_hash = $1 AND kind = $2 AND expires_at > $3
           RETURNING user_id AS "userId", email`,
    values: [hash, kind, now],
  });
  return row;
}

/** Ends the user's tokens of these kinds. */
export async function dropMailTokens(
  tx: Queryable,
  userId: bigint,
  kinds: readonly TokenMailKind[],
): Promise<void> {
  await tx.query({
    name: "mail_tokens_drop",
    text: "DELETE FROM mail_tokens WHERE user_id = $1 AND kind = ANY ($2::text[])",
    values: [userId, kinds],
  });
}

/** Forgets what waits to be mailed to the user, and the tokens that were. */
export async function forgetMail(tx: Queryable, userId: bigint): Promise<void> {
  await tx.query({
    name: "mail_queue_forget",
    text: "DELETE FROM mail_queue WHERE user_id = $1",
    values: [userId],
  });
  await dropMailTokens(tx, userId, ["verify_email", "reset_password"]);
}

/** Removes up to `limit` tokens that have expired. */
export async function purgeMailTokens(db: Queryable, now: Date, limit: number): Promise<number> {
  const rows = await db.query({
    name: "mail_tokens_purge",
    text: `DELETE FROM mail_tokens WHERE token_hash IN (
             SELECT token_hash FROM mail_tokens WHERE expires_at <= $1 LIMIT $2 FOR UPDATE SKIP LOCKED
           ) RETURNING kind`,
    values: [now, limit],
  });
  return rows.length;
}
