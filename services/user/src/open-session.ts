import type { Call, Queryable } from "@chirrup/platform";
import { idTimeMs } from "@chirrup/platform";
import type { Context } from "./context.ts";
import { hashRefreshToken, mintRefreshToken } from "./domain/refresh-token.ts";
import { clientText, sessionExpiry } from "./domain/session.ts";
import { insertSession } from "./store/session.ts";
import type { SessionTokens } from "./token-issuer.ts";

/** Stores a new session of the user, with what the call tells about the client. */
export async function openSession(
  context: Pick<Context, "ids" | "now" | "sessionPolicy">,
  tx: Queryable,
  userId: bigint,
  call: Call,
): Promise<SessionTokens> {
  const sessionId = context.ids.next();
  const refreshToken = mintRefreshToken();
  const now = context.now();
  await insertSession(tx, {
    id: sessionId,
    userId,
    userAgent: clientText(call.userAgent),
    address: clientText(call.clientAddress),
    tokenHash: hashRefreshToken(refreshToken),
    createdAt: now,
    expiresAt: sessionExpiry(idTimeMs(sessionId), now, context.sessionPolicy),
  });
  return { userId, sessionId, refreshToken };
}
