/** How long sessions last, in milliseconds. */
export interface SessionPolicy {
  /** Since the last refresh. */
  readonly idleMs: number;
  /** Since the sign-in, however often it was refreshed. */
  readonly maxAgeMs: number;
  /** How many live sessions an account has at most. */
  readonly maxLive: number;
  /** For how long after a rotation the replaced token still answers with its successor. */
  readonly graceMs: number;
}

/** Why a session ended before its time. */
export type EndReason =
  | "logout"
  | "ended_by_owner"
  | "ended_by_operator"
  | "password_changed"
  | "password_reset"
  | "account_deleted"
  | "refresh_token_replayed"
  /** The account signed in so often that this one, the longest unused, had to go. */
  | "superseded";

/** What the decision about a refresh rests on. Hashes are SHA-256 of tokens. */
export interface RefreshState {
  readonly tokenHash: Buffer;
  readonly previousTokenHash: Buffer | null;
  readonly rotatedAt: Date;
  readonly expiresAt: Date;
  readonly endedAt: Date | null;
}

/**
 * - rotate: the presented token is the current one; its successor takes its place.
 * - repeat: it was replaced a moment ago and its successor is unused; the same successor is given again.
 * - replayed: it is an older one. Two parties hold tokens of this session, one of them a thief.
 * - dead: the session has ended or expired.
 */
export type RefreshDecision = "rotate" | "repeat" | "replayed" | "dead";

/** What to do with a token of this session. */
export function decideRefresh(
  session: RefreshState,
  presentedHash: Buffer,
  now: Date,
  policy: SessionPolicy,
): RefreshDecision {
  if (session.endedAt !== null || session.expiresAt <= now) return "dead";
  if (session.tokenHash.equals(presentedHash)) return "rotate";
  const inGrace = now.getTime() - session.rotatedAt.getTime() < policy.graceMs;
  // A used successor has moved `previous` on by one, so equality also says that it is unused.
  return inGrace && session.previousTokenHash?.equals(presentedHash) ? "repeat" : "replayed";
}

/** Until when a session signed in at `createdAtMs` and used at `now` can be refreshed. */
export function sessionExpiry(createdAtMs: number, now: Date, policy: SessionPolicy): Date {
  return new Date(Math.min(now.getTime() + policy.idleMs, createdAtMs + policy.maxAgeMs));
}

/** The client's own account of itself, cut to 200 characters, without what a log or a page would obey. */
export function clientText(text: string): string {
  return text
    .replaceAll(/\p{Cc}/gu, "")
    .slice(0, 200)
    .toWellFormed();
}
