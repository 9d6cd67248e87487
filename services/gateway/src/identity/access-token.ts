import { errors, jwtVerify } from "jose";
import { createLru } from "../lru.ts";
import type { KeySet } from "./key-set.ts";

/** What a good access token says. */
export interface TokenIdentity {
  /** Decimal, as metadata carries it. */
  readonly userId: string;
  readonly sessionId: string;
  /** Seconds since the epoch. */
  readonly expiresAt: number;
}

export interface AccessTokens {
  /** The identity of a token that was verified before and has not expired; no waiting and no cryptography. */
  known(token: string): TokenIdentity | undefined;
  /**
   * The identity of a token; undefined when it is not good, for whatever reason. Rejects when that cannot be told,
   * because the issuer's keys have never been fetched.
   */
  verify(token: string): Promise<TokenIdentity | undefined>;
}

export interface AccessTokenOptions {
  readonly keys: KeySet;
  /** Undefined: any. */
  readonly issuer: string | undefined;
  /** Undefined: any. */
  readonly audience: string | undefined;
  /** The token's "typ": "JWT", or "at+jwt" from issuers that keep RFC 9068. */
  readonly type: string;
  /**
   * id: "sub" and "sid" are ids of this platform. text: "sub" is any printable ASCII of up to 200 characters, and there may
   * be no "sid". Default: id.
   */
  readonly subject?: "id" | "text";
  /** Verified tokens that are remembered. Default: 20,000, about 20 MB. */
  readonly cacheSize?: number;
}

const maxTokenLength = 4096;
/**
 * A signature of 64 bytes, as both algorithms make it, in the one spelling that base64url has for it: without padding, and
 * the four bits that its last sign has too many are zero. Else each token would have others that are as good.
 */
const compactForm = /^[\w-]+\.[\w-]+\.[\w-]{85}[AQgw]$/;

/**
 * Verifies access tokens: a JWT (RFC 7519), signed with EdDSA or ES256 by a key of the issuer's set that its "kid" names,
 * with "typ", "iss", "aud", "exp", "sub" and "sid".
 *
 * The algorithm is the key's, never the token's choice (RFC 8725 section 3.1), and "jwk", "jku" and "x5u" of the
 * header are not looked at.
 */
export function createAccessTokens(options: AccessTokenOptions): AccessTokens {
  const { keys, issuer, audience, subject = "id", cacheSize = 20_000 } = options;
  const verified = createLru<string, TokenIdentity>(cacheSize);

  const known = (token: string): TokenIdentity | undefined => {
    const identity = verified.get(token);
    if (identity === undefined) return undefined;
    if (identity.expiresAt > Date.now() / 1000) return identity;
    verified.delete(token);
    return undefined;
  };

  return {
    known,
    async verify(token) {
      const remembered = known(token);
      if (remembered !== undefined) return remembered;
      if (token.length > maxTokenLength || !compactForm.test(token)) return undefined;
      try {
        const { payload } = await jwtVerify(
          token,
          async ({ kid, alg }) => {
            const found = typeof kid === "string" && kid.length <= 128 ? await keys.get(kid) : undefined;
            if (found?.algorithm !== alg) throw new errors.JWKSNoMatchingKey();
            return found.key;
          },
          {
            algorithms: ["EdDSA", "ES256"],
            ...(issuer === undefined ? {} : { issuer }),
            ...(audience === undefined ? {} : { audience }),
            typ: options.type,
            requiredClaims: subject === "id" ? ["exp", "sub", "sid"] : ["exp", "sub"],
          },
        );
        const { sub: userId, sid = "", exp: expiresAt } = payload;
        const isSubject = subject === "id" ? isId(userId) && isId(sid) : isText(userId) && isText(sid);
        if (!isSubject || userId === undefined || expiresAt === undefined) return undefined;
        const sessionId = String(sid);
        const identity = { userId, sessionId, expiresAt };
        verified.set(token, identity);
        return identity;
      } catch (error) {
        if (error instanceof errors.JOSEError) return undefined;
        if (!keys.isLoaded) throw error;
        return undefined;
      }
    },
  };
}

function isText(value: unknown): value is string {
  return typeof value === "string" && /^[\x20-\x7e]{0,200}$/.test(value);
}

const maxId = 2n ** 63n - 1n;

function isId(value: unknown): value is string {
  return typeof value === "string" && /^[1-9][0-9]{0,18}$/.test(value) && BigInt(value) <= maxId;
}
