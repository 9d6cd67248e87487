import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from "node:crypto";

const cipher = "aes-256-gcm";
const ivBytes = 12;
const tagBytes = 16;

/** A key that seals one kind of thing, from SIGNING_KEY_SECRET (RFC 5869). */
export function sealingKey(secret: string, purpose: "signing keys" | "second factors"): Buffer {
  return Buffer.from(hkdfSync("sha256", secret, "", `chirrup user ${purpose}`, 32));
}

/**
 * AES-256-GCM: iv, tag, ciphertext.
 *
 * @param owner - Authenticated with the content, so that the sealed things of two rows cannot be swapped.
 */
export function seal(plain: Buffer, owner: string, key: Buffer): Buffer {
  const iv = randomBytes(ivBytes);
  const encrypt = createCipheriv(cipher, key, iv, { authTagLength: tagBytes }).setAAD(Buffer.from(owner));
  const text = Buffer.concat([encrypt.update(plain), encrypt.final()]);
  return Buffer.concat([iv, encrypt.getAuthTag(), text]);
}

/** @throws When it was sealed under another key or for another owner, or was tampered with. */
export function unseal(sealed: Buffer, owner: string, key: Buffer): Buffer {
  const decrypt = createDecipheriv(cipher, key, sealed.subarray(0, ivBytes), { authTagLength: tagBytes })
    .setAAD(Buffer.from(owner))
    .setAuthTag(sealed.subarray(ivBytes, ivBytes + tagBytes));
  return Buffer.concat([decrypt.update(sealed.subarray(ivBytes + tagBytes)), decrypt.final()]);
}
