import type { AccessTokenPolicy } from "./domain/access-token.ts";
import { signAccessToken } from "./domain/access-token.ts";
import type { KeyRing } from "./key-ring.ts";

/** A session and the refresh token that is now its current one. */
export interface SessionTokens {
  readonly userId: bigint;
  readonly sessionId: bigint;
  readonly refreshToken: string;
}

/** The fields by which every sign-in and refresh answers. */
export interface IssuedTokens {
  readonly accessToken: string;
  readonly refreshToken: string;
  /** Seconds for which the access token is good. */
  readonly expiresIn: number;
}

/** Adds a new access token. To be called after the session's commit, never before. */
export type TokenIssuer = (session: SessionTokens) => Promise<IssuedTokens>;

export function createTokenIssuer(options: {
  keyRing: KeyRing;
  policy: AccessTokenPolicy;
  now: () => Date;
}): TokenIssuer {
  const { keyRing, policy, now } = options;
  return async ({ userId, sessionId, refreshToken }) => ({
    accessToken: await signAccessToken({ userId, sessionId }, keyRing.signingKey(), policy, now()),
    refreshToken,
    expiresIn: policy.ttlS,
  });
}
