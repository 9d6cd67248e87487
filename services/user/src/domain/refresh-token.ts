import { createHash, createHmac, randomBytes } from "node:crypto";

const pattern = /^[A-Za-z0-9_-]{43}$/;

/** 256 random bits as base64url without padding, 43 characters. */
export function mintRefreshToken(): string {
  return randomBytes(32).toString("base64url");
}

/**
 * The token that replaces this one. Derived, so that a client that repeats itself, because the answer
 * was lost or because two tabs woke at once, is given the same successor and no second branch grows;
 * under a secret, so that a token alone does not foretell the next.
 */
export function successorOf(token: string, secret: string): string {
  return createHmac("sha256", secret).update(token).digest("base64url");
}

/** Whether it looks like a token; what does not need not be looked for. */
export function isRefreshToken(text: string): boolean {
  return pattern.test(text);
}

/** What is stored of a token. A plain hash will do: there is nothing to guess in 256 random bits. */
export function hashRefreshToken(token: string): Buffer {
  return createHash("sha256").update(token).digest();
}
