import type { Call, Queryable } from "@chirrup/platform";
import type { Context } from "./context.ts";
import { note } from "./note.ts";
import { openSession } from "./open-session.ts";
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
  return session;
}
