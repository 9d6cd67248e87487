import { randomUUID } from "node:crypto";
import { SignJWT } from "jose";
import type { SigningKey } from "./signing-key.ts";

/** What is the same in every access token. */
export interface AccessTokenPolicy {
  readonly issuer: string;
  readonly audience: string;
  /** Seconds from issue to expiry. */
  readonly ttlS: number;
}

/** An EdDSA JWT (RFC 7519, RFC 8037) that says: this user, by this session, until `exp`. */
export async function signAccessToken(
  subject: { userId: bigint; sessionId: bigint },
  key: SigningKey,
  policy: AccessTokenPolicy,
  now: Date,
): Promise<string> {
  const issuedAtS = Math.floor(now.getTime() / 1000);
  return new SignJWT({ sid: String(subject.sessionId) })
    .setProtectedHeader({ alg: "EdDSA", typ: "JWT", kid: key.kid })
    .setIssuer(policy.issuer)
    .setAudience(policy.audience)
    .setSubject(String(subject.userId))
    .setJti(randomUUID())
    .setIssuedAt(issuedAtS)
    .setExpirationTime(issuedAtS + policy.ttlS)
    .sign(key.privateKey);
}
