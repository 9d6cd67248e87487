import { unauthenticated } from "@chirrup/platform";
import type { Context, Rpc } from "../context.ts";
import { hashRefreshToken, isRefreshToken } from "../domain/refresh-token.ts";
import { forgetAt } from "../domain/revocation.ts";
import { endSessions, lockSessionOfToken } from "../store/session.ts";

/**
 * Ends the session of the refresh token, any that it ever had; else that of the access token. Logging out
 * of a session that has ended is a success.
 */
export function logout({ postgres, now: clock, accessTokenTtlS }: Context): Rpc["logout"] {
  return async ({ refreshToken }, call) => {
    const found = await postgres.transaction(async (tx) => {
      const session = isRefreshToken(refreshToken)
        ? await lockSessionOfToken(tx, hashRefreshToken(refreshToken))
        : undefined;
      const sessionId = session?.id ?? call.caller?.sessionId;
      if (sessionId === undefined) return false;
      const now = clock();
      const end = { reason: "logout", now, forgetAt: forgetAt(now, accessTokenTtlS) } as const;
      await endSessions(tx, { sessionId }, end);
      return true;
    });
    if (!found) throw unauthenticated("there is no session to end");
    return {};
  };
}
