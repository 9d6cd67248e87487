import type { Queryable } from "@chirrup/platform";
import type { EndReason, RefreshState } from "../domain/session.ts";
import { insertRevocations } from "./revocation.ts";

/** Above every id. */
const maxId = 2n ** 63n - 1n;

/** A sign-in about to be stored. */
export interface NewSession {
  readonly id: bigint;
  readonly userId: bigint;
  readonly userAgent: string;
  readonly address: string;
  readonly tokenHash: Buffer;
  readonly createdAt: Date;
  readonly expiresAt: Date;
}

/** A live session as its owner sees it. */
export interface ListedSession {
  readonly id: bigint;
  readonly userAgent: string;
  readonly address: string;
  readonly lastUsedAt: Date;
}

/** A session whose row is locked until the transaction ends. */
export interface LockedSession extends RefreshState {
  readonly id: bigint;
  readonly userId: bigint;
}

export async function insertSession(tx: Queryable, session: NewSession): Promise<void> {
  await tx.query({
    name: "session_insert",
    text: `INSERT INTO sessions (id, user_id, user_agent, address, token_hash, rotated_at, password_at, expires_at)
           VALUES ($1, $2, $3, $4, $5, $6, $6, $7)`,
    values: [
      session.id,
      session.userId,
      session.userAgent,
      session.address,
      session.tokenHash,
      session.createdAt,
      session.expiresAt,
    ],
  });
  await rememberToken(tx, session.id, session.tokenHash);
}

/** The session that a token belongs or once belonged to. */
export async function lockSessionOfToken(
  tx: Queryable,
  tokenHash: Buffer,
): Promise<LockedSession | undefined> {
  const [row] = await tx.query<LockedSession>({
    name: "session_lock_by_token",
    text: `SELECT s.id, s.user_id AS "userId", s.token_hash AS "tokenHash",
                  s.previous_token_hash AS "previousTokenHash", s.rotated_at AS "rotatedAt",
                  s.expires_at AS "expiresAt", s.ended_at AS "endedAt"
           FROM refresh_tokens t JOIN sessions s ON s.id = t.session_id
           WHERE t.token_hash = $1 FOR UPDATE OF s`,
    values: [tokenHash],
  });
  return row;
}

/** Makes `tokenHash` the current token of a locked session. */
export async function rotateToken(
  tx: Queryable,
  sessionId: bigint,
  tokenHash: Buffer,
  now: Date,
  expiresAt: Date,
): Promise<void> {
  await tx.query({
    name: "session_rotate_token",
    text: `UPDATE sessions
           SET previous_token_hash = token_hash, token_hash = $2, rotated_at = $3, expires_at = $4
           WHERE id = $1`,
    values: [sessionId, tokenHash, now, expiresAt],
  });
  await rememberToken(tx, sessionId, tokenHash);
}

/** When the password was last shown in a session of the user; undefined when it was not, or there is none. */
export async function passwordShownAt(
  db: Queryable,
  userId: bigint,
  sessionId: bigint,
): Promise<Date | undefined> {
  const [row] = await db.query<{ shownAt: Date | null }>({
    name: "session_password_shown_at",
    text: `SELECT password_at AS "shownAt" FROM sessions WHERE id = $1 AND user_id = $2 AND ended_at IS NULL`,
    values: [sessionId, userId],
  });
  return row?.shownAt ?? undefined;
}

/** Remembers that the password was shown in this session. */
export async function markPasswordShown(tx: Queryable, sessionId: bigint, now: Date): Promise<void> {
  await tx.query({
    name: "session_mark_password",
    text: "UPDATE sessions SET password_at = $2 WHERE id = $1",
    values: [sessionId, now],
  });
}

/** Newest first, those below `before`. */
export async function listLiveSessions(
  db: Queryable,
  userId: bigint,
  page: { before: bigint | undefined; limit: number; now: Date },
): Promise<ListedSession[]> {
  return db.query<ListedSession>({
    name: "sessions_live_of_user",
    text: `SELECT id, user_agent AS "userAgent", address, rotated_at AS "lastUsedAt" FROM sessions
           WHERE user_id = $1 AND ended_at IS NULL AND expires_at > $2 AND id < $3
           ORDER BY id DESC LIMIT $4`,
    values: [userId, page.now, page.before ?? maxId, page.limit],
  });
}

export async function isSessionLive(db: Queryable, sessionId: bigint, now: Date): Promise<boolean> {
  const rows = await db.query({
    name: "session_is_live",
    text: "SELECT FROM sessions WHERE id = $1 AND ended_at IS NULL AND expires_at > $2",
    values: [sessionId, now],
  });
  return rows.length === 1;
}

/** Which sessions to end: one, one if it is the user's, some or all of a user's, or all of a user's but one. */
export type EndScope =
  | { readonly sessionId: bigint }
  | { readonly userId: bigint; readonly sessionIds: readonly bigint[] }
  | { readonly userId: bigint; readonly sessionId: bigint }
  | { readonly userId: bigint }
  | { readonly userId: bigint; readonly exceptSessionId: bigint };

/**
 * Ends the sessions in scope that have not ended, and revokes their access tokens. It is to be the
 * transaction's last step, for it holds the revocation counter until commit.
 *
 * Sessions past their expiry are ended too: the access token of the last refresh can outlive them.
 *
 * @param end.forgetAt - When the last access token of these sessions has expired.
 * @param end.note - Called when any was ended, before the counter is held.
 * @returns The sessions that this call ended.
 */
export async function endSessions(
  tx: Queryable,
  scope: EndScope,
  end: { reason: EndReason; now: Date; forgetAt: Date; note?: () => Promise<void> },
): Promise<bigint[]> {
  const { name, condition, values } = scopeQuery(scope);
  // Locked in id order: two calls that end the same sessions wait for each other, not in a circle.
  const rows = await tx.query<{ id: bigint }>({
    name: `sessions_end_${name}`,
    text: `UPDATE sessions SET ended_at = $1, end_reason = $2
           FROM (SELECT id FROM sessions WHERE ${condition} AND ended_at IS NULL ORDER BY id FOR UPDATE) held
           WHERE sessions.id = held.id AND ended_at IS NULL RETURNING sessions.id`,
    values: [end.now, end.reason, ...values],
  });
  const ids = rows.map((row) => row.id);
  if (ids.length > 0) {
    await end.note?.();
    await insertRevocations(tx, ids, end.forgetAt);
  }
  return ids;
}

/** One statement for each scope, so that each has the plan that fits it. */
function scopeQuery(scope: EndScope): { name: string; condition: string; values: unknown[] } {
  if (!("userId" in scope)) return { name: "one", condition: "id = $3", values: [scope.sessionId] };
  const values = [scope.userId];
  if ("sessionId" in scope) {
    return { name: "own", condition: "user_id = $3 AND id = $4", values: [...values, scope.sessionId] };
  }
  if ("sessionIds" in scope) {
    const condition = "user_id = $3 AND id = ANY ($4::bigint[])";
    return { name: "some", condition, values: [...values, scope.sessionIds] };
  }
  if ("exceptSessionId" in scope) {
    return {
      name: "others",
      condition: "user_id = $3 AND id <> $4",
      values: [...values, scope.exceptSessionId],
    };
  }
  return { name: "all", condition: "user_id = $3", values };
}

/** Everybody who has a session that has not ended. */
export async function usersWithSessions(db: Queryable): Promise<bigint[]> {
  const rows = await db.query<{ userId: bigint }>({
    name: "sessions_users",
    text: `SELECT DISTINCT user_id AS "userId" FROM sessions WHERE ended_at IS NULL ORDER BY user_id`,
    values: [],
  });
  return rows.map(({ userId }) => userId);
}

/** The user's live sessions beyond the `kept` that were used last. */
export async function surplusSessions(
  db: Queryable,
  userId: bigint,
  kept: number,
  now: Date,
): Promise<bigint[]> {
  const rows = await db.query<{ id: bigint }>({
    name: "sessions_surplus",
    text: `SELECT id FROM sessions WHERE user_id = $1 AND ended_at IS NULL AND expires_at > $2
           ORDER BY rotated_at DESC, id DESC OFFSET $3`,
    values: [userId, now, kept],
  });
  return rows.map(({ id }) => id);
}

/** Removes what sessions tell about the person who held them. */
export async function scrubSessions(tx: Queryable, userId: bigint): Promise<void> {
  await tx.query({
    name: "sessions_scrub",
    text: `UPDATE sessions SET user_agent = '', address = ''
           FROM (SELECT id FROM sessions WHERE user_id = $1 ORDER BY id FOR UPDATE) held
           WHERE sessions.id = held.id`,
    values: [userId],
  });
}

/** Removes up to `limit` sessions that were over before `before`, and their tokens. */
export async function purgeSessions(db: Queryable, before: Date, limit: number): Promise<number> {
  const rows = await db.query({
    name: "sessions_purge",
    text: `DELETE FROM sessions WHERE id IN (
             SELECT id FROM sessions WHERE LEAST(ended_at, expires_at) < $1 LIMIT $2 FOR UPDATE SKIP LOCKED
           ) RETURNING id`,
    values: [before, limit],
  });
  return rows.length;
}

async function rememberToken(tx: Queryable, sessionId: bigint, tokenHash: Buffer): Promise<void> {
  await tx.query({
    name: "refresh_token_insert",
    text: "INSERT INTO refresh_tokens (token_hash, session_id) VALUES ($1, $2)",
    values: [tokenHash, sessionId],
  });
}
