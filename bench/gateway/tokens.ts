import { createServer } from "node:http";
import { generateKeyPairSync, sign } from "node:crypto";
import type { AddressInfo } from "node:net";

export const issuer = "https://bench.example";
export const audience = "bench";

export interface Tokens {
  readonly jwksUrl: string;
  readonly all: readonly string[];
  close(): void;
}

/** Signs access tokens of as many users, and serves the key to verify them by. */
export async function issueTokens(count: number): Promise<Tokens> {
  const { publicKey, privateKey } = generateKeyPairSync("ed25519");
  const jwk = { ...publicKey.export({ format: "jwk" }), kid: "k", alg: "EdDSA", use: "sig" };
  const server = createServer((_, response) => response.end(JSON.stringify({ keys: [jwk] })));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");
  const now = Math.floor(Date.now() / 1000);
  const all = Array.from({ length: count }, (_, i) => {
    const claims = {
      iss: issuer,
      aud: audience,
      sub: String(i + 1),
      sid: String(i + 1),
      iat: now,
      exp: now + 3600,
    };
    const text = `${part({ alg: "EdDSA", typ: "JWT", kid: "k" })}.${part(claims)}`;
    return `${text}.${sign(null, Buffer.from(text), privateKey).toString("base64url")}`;
  });
  const { port } = server.address() as AddressInfo;
  return { jwksUrl: `http://127.0.0.1:${port}/`, all, close: () => server.close() };
}
