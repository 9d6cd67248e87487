import type { KeyObject } from "node:crypto";
import { createPrivateKey, generateKeyPairSync } from "node:crypto";
import type { JWK } from "jose";
import { calculateJwkThumbprint } from "jose";
import { seal, unseal } from "./sealing.ts";

/** A key as it is stored: the private half sealed for its kid. */
export interface StoredSigningKey {
  readonly kid: string;
  readonly publicJwk: JWK;
  readonly sealedPrivateKey: Buffer;
  readonly createdAt: Date;
}

/** A key that can sign. */
export interface SigningKey {
  readonly kid: string;
  readonly publicJwk: JWK;
  readonly privateKey: KeyObject;
  readonly createdAt: Date;
}

/** A new Ed25519 key, its private half sealed. */
export async function generateSigningKey(sealWith: Buffer, now: Date): Promise<StoredSigningKey> {
  const { publicKey, privateKey } = generateKeyPairSync("ed25519");
  const jwk = publicKey.export({ format: "jwk" }) as JWK;
  const kid = await calculateJwkThumbprint(jwk);
  return {
    kid,
    publicJwk: { ...jwk, kid, alg: "EdDSA", use: "sig" },
    sealedPrivateKey: seal(privateKey.export({ format: "der", type: "pkcs8" }), kid, sealWith),
    createdAt: now,
  };
}

/** @throws When the key was sealed under another secret, or its row was tampered with. */
export function openSigningKey(stored: StoredSigningKey, sealedWith: Buffer): SigningKey {
  const der = unsealed(stored, sealedWith);
  const privateKey = createPrivateKey({ key: der, format: "der", type: "pkcs8" });
  return { kid: stored.kid, publicJwk: stored.publicJwk, privateKey, createdAt: stored.createdAt };
}

/**
 * The key to sign with: the newest that has been published for `publishedForMs`, so that verifiers have
 * had time to fetch it; the oldest when none has.
 */
export function chooseSigningKey(
  keys: readonly SigningKey[],
  now: Date,
  publishedForMs: number,
): SigningKey | undefined {
  const byAge = keys.toSorted((a, b) => a.createdAt.getTime() - b.createdAt.getTime());
  const published = byAge.filter((key) => now.getTime() - key.createdAt.getTime() >= publishedForMs);
  return published.at(-1) ?? byAge[0];
}

/** How the keys follow each other, in milliseconds. */
export interface RotationPolicy {
  /** The newest key is followed by another when it is so old. */
  readonly maxAgeMs: number;
  /** How long a key is published before it signs. */
  readonly publishedForMs: number;
  /** How long a token lives. */
  readonly accessTokenTtlMs: number;
}

/**
 * How much longer than it must an old key stays: a process that lost sight of the database goes on signing with the
 * keys it has.
 */
const retirementSlackMs = 3_600_000;

/** Whether it is time for another key. */
export function isRotationDue(
  keys: readonly Pick<StoredSigningKey, "createdAt">[],
  now: Date,
  { maxAgeMs }: Pick<RotationPolicy, "maxAgeMs">,
): boolean {
  const newestMs = Math.max(...keys.map(({ createdAt }) => createdAt.getTime()));
  return now.getTime() - newestMs >= maxAgeMs;
}

/** Keys that no live token can be signed with: another has long signed in their place. */
export function retiredKids(
  keys: readonly Pick<StoredSigningKey, "kid" | "createdAt">[],
  now: Date,
  { publishedForMs, accessTokenTtlMs }: Omit<RotationPolicy, "maxAgeMs">,
): string[] {
  const overlapMs = publishedForMs + accessTokenTtlMs + retirementSlackMs;
  const byAge = keys.toSorted((a, b) => a.createdAt.getTime() - b.createdAt.getTime());
  return byAge
    .filter((_, place) => {
      const next = byAge[place + 1];
      return next !== undefined && now.getTime() - next.createdAt.getTime() > overlapMs;
    })
    .map(({ kid }) => kid);
}

function unsealed({ kid, sealedPrivateKey }: StoredSigningKey, key: Buffer): Buffer {
  try {
    return unseal(sealedPrivateKey, kid, key);
  } catch (cause) {
    throw new Error(`SIGNING_KEY_SECRET does not open the signing key ${kid}`, { cause });
  }
}
