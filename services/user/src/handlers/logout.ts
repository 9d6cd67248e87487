import { unauthenticated } from "@chirrup/platform";
import type { Context, Rpc } from "../context.ts";
import { hashRefreshToken, isRefreshToken } from "../domain/refresh-token.ts";
import { forgetAt } from "../domain/revocation.ts";
import { note } from "../note.ts";
import { endSessions, lockSessionOfToken } from "../store/session.ts";

/**
 * Ends the session of the refresh token, any that it ever had; else that of the access token. Logging out
 * of a session that has ended is a success.
 */
export function logout(context: Context): Rpc["logout"] {
  const { postgres, now: clock, accessTokenTtlS } = context;
  return async ({ refreshToken }, call) => {
    const found = await postgres.transaction(async (tx) => {
      const session = isRefreshToken(refreshToken)
        ? await lockSessionOfToken(tx, hashRefreshToken(refreshToken))
        : undefined;
      const sessionId = session?.id ?? call.caller?.sessionId;
      if (sessionId === undefined) return false;
      const now = clock();
      const userId = session?.userId ?? call.caller?.userId;
      await endSessions(
        tx,
        { sessionId },
        {
          reason: "logout",
          now,
          forgetAt: forgetAt(now, accessTokenTtlS),
          note: () => note(context, tx, call, "session_ended", { userId, sessionId }),
        },
      );
      return true;
    });
    if (!found) throw unauthenticated("there is no session to end");
    return {};
  };
}
