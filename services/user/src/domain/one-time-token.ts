import { createHash, randomBytes } from "node:crypto";

const pattern = /^[A-Za-z0-9_-]{43}$/;

/** 256 random bits as base64url without padding, 43 characters: for a mail, or between two steps of a sign-in. */
export function mintToken(): string {
  return randomBytes(32).toString("base64url");
}

/** What is stored of a token, SHA-256; undefined when it is none, and need not be looked for. */
export function hashToken(token: string): Buffer | undefined {
  return pattern.test(token) ? createHash("sha256").update(token).digest() : undefined;
}
