import type { Call, Queryable } from "@chirrup/platform";
import { idTimeMs, unauthenticated } from "@chirrup/platform";
import type { Context, Rpc } from "../context.ts";
import { hashRefreshToken, isRefreshToken, successorOf } from "../domain/refresh-token.ts";
import { forgetAt } from "../domain/revocation.ts";
import type { RefreshDecision } from "../domain/session.ts";
import { decideRefresh, sessionExpiry } from "../domain/session.ts";
import { note } from "../note.ts";
import type { LockedSession } from "../store/session.ts";
import { endSessions, lockSessionOfToken, rotateToken } from "../store/session.ts";

interface Outcome {
  readonly session: LockedSession;
  readonly decision: RefreshDecision;
}

/**
 * Trades a refresh token for its successor and a new access token. All refreshes of one session wait for
 * each other on its row, so that of any number at once the first rotates and the others repeat it.
 */
export function refresh(context: Context): Rpc["refresh"] {
  const { postgres, refreshSecret, tokens } = context;
  return async ({ refreshToken }, call) => {
    if (!isRefreshToken(refreshToken)) throw refused();
    const successor = successorOf(refreshToken, refreshSecret);
    // The refusal is thrown outside of the transaction: ending a replayed session must commit.
    const outcome = await postgres.transaction((tx) => decide(context, tx, call, refreshToken, successor));
    if (outcome === undefined) throw refused();

    const { id: sessionId, userId } = outcome.session;
    if (outcome.decision === "replayed") {
      context.onReplay();
      call.log.warn(
        { userId: String(userId), sessionId: String(sessionId) },
        "an old refresh token was replayed: the session was ended",
      );
    }
    if (outcome.decision === "replayed" || outcome.decision === "dead") throw refused();
    return tokens({ userId, sessionId, refreshToken: successor });
  };
}

async function decide(
  context: Context,
  tx: Queryable,
  call: Call,
  presented: string,
  successor: string,
): Promise<Outcome | undefined> {
  const { sessionPolicy, accessTokenTtlS, now: clock } = context;
  const presentedHash = hashRefreshToken(presented);
  const session = await lockSessionOfToken(tx, presentedHash);
  if (session === undefined) return undefined;
  // Read once the row is locked: the wait for it is part of the token's age.
  const now = clock();
  const decision = decideRefresh(session, presentedHash, now, sessionPolicy);
  if (decision === "rotate") {
    const expiresAt = sessionExpiry(idTimeMs(session.id), now, sessionPolicy);
    await rotateToken(tx, session.id, hashRefreshToken(successor), now, expiresAt);
  } else if (decision === "replayed") {
    const concerns = { userId: session.userId, sessionId: session.id };
    await endSessions(
      tx,
      { sessionId: session.id },
      {
        reason: "refresh_token_replayed",
        now,
        forgetAt: forgetAt(now, accessTokenTtlS),
        note: () => note(context, tx, call, "refresh_token_replayed", concerns),
      },
    );
  }
  return { session, decision };
}

function refused(): Error {
  return unauthenticated("the refresh token is not valid");
}
