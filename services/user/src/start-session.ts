import type { Call, Queryable } from "@chirrup/platform";
import type { Context } from "./context.ts";
import { note } from "./note.ts";
import { forgetAt } from "./domain/revocation.ts";
import { openSession } from "./open-session.ts";
import { endSessions, surplusSessions } from "./store/session.ts";
import type { SessionTokens } from "./token-issuer.ts";

/** Opens a session for a sign-in that succeeded, remembers where from, and notes it. */
export async function startSession(
  context: Context,
  tx: Queryable,
  userId: bigint,
  call: Call,
): Promise<SessionTokens> {
  await context.attempts.knowAddress(tx, userId, call);
  const session = await openSession(context, tx, userId, call);
  await note(context, tx, call, "signed_in", session);
  await endSurplus(context, tx, userId);
  return session;
}

/** Two sign-ins at once may each leave the other's alone: the next one ends what is too many. */
async function endSurplus(context: Context, tx: Queryable, userId: bigint): Promise<void> {
  const { sessionPolicy, accessTokenTtlS } = context;
  const now = context.now();
  const sessionIds = await surplusSessions(tx, userId, sessionPolicy.maxLive, now);
  if (sessionIds.length === 0) return;
  const end = { reason: "superseded", now, forgetAt: forgetAt(now, accessTokenTtlS) } as const;
  await endSessions(tx, { userId, sessionIds }, end);
}
