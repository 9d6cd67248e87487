import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { exportJWK, generateKeyPair, SignJWT, type CryptoKey, type JWK, type JWTPayload } from "jose";

export const tokenIssuer = "https://issuer.test";
export const tokenAudience = "chirrup-test";

export interface SigningPair {
  readonly kid: string;
  readonly alg: "EdDSA" | "ES256";
  readonly privateKey: CryptoKey;
  readonly publicJwk: JWK;
}

export async function makeKey(kid: string, alg: "EdDSA" | "ES256" = "EdDSA"): Promise<SigningPair> {
  const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true });
  return { kid, alg, privateKey, publicJwk: { ...(await exportJWK(publicKey)), kid, alg, use: "sig" } };
}

export interface TokenOptions {
  readonly key?: SigningPair;
  readonly claims?: JWTPayload;
  readonly header?: Record<string, unknown>;
  readonly omit?: readonly string[];
}

/** Issues tokens as the user service does, and serves the keys to verify them by. */
export interface Issuer {
  readonly url: string;
  /** What the URL serves. */
  keys: JWK[];
  /** What the URL answers. */
  status: number;
  readonly fetches: () => number;
  readonly key: SigningPair;
  token(userId?: bigint, sessionId?: bigint, options?: TokenOptions): Promise<string>;
  close(): Promise<void>;
}

export async function startIssuer(): Promise<Issuer> {
  const key = await makeKey("key-1");
  let fetches = 0;
  const server = createServer((_, response) => {
    fetches += 1;
    response.writeHead(issuer.status, { "content-type": "application/jwk-set+json" });
    response.end(JSON.stringify({ keys: issuer.keys }));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const issuer: Issuer = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks.json`,
    keys: [key.publicJwk],
    status: 200,
    fetches: () => fetches,
    key,
    token: (userId = 42n, sessionId = 7n, options = {}) =>
      sign(options.key ?? key, userId, sessionId, options),
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return issuer;
}

function sign(key: SigningPair, userId: bigint, sessionId: bigint, options: TokenOptions): Promise<string> {
  const now = Math.floor(Date.now() / 1000);
  const claims: JWTPayload = {
    iss: tokenIssuer,
    aud: tokenAudience,
    sub: String(userId),
    sid: String(sessionId),
    iat: now,
    exp: now + 600,
    ...options.claims,
  };
  for (const name of options.omit ?? []) delete claims[name];
  return new SignJWT(claims)
    .setProtectedHeader({ alg: key.alg, typ: "JWT", kid: key.kid, ...options.header })
    .sign(key.privateKey);
}
