import { createHmac, hkdfSync } from "node:crypto";

/** How often a secret may be guessed wrong before the next guess takes patience. */
export interface AttemptLimit {
  /** So many guesses meet no delay. After them the next must wait a second, then two, four, … */
  readonly free: number;
  /** … and never longer than this. */
  readonly maxDelayMs: number;
  /** With no wrong guess for so long, all is forgotten. Longer than the longest delay. */
  readonly forgetMs: number;
}

/** One count: of what, and its limit. */
export interface AttemptCount {
  readonly key: Buffer;
  readonly limit: AttemptLimit;
}

const minuteMs = 60_000;

/** How often one may be wrong: see docs/decisions/0011-limits-on-sign-in-attempts.md. */
export interface AttemptPolicy {
  /** One login from one address. */
  readonly login: AttemptLimit;
  /** One login from all addresses that its account does not know. */
  readonly loginElsewhere: AttemptLimit;
  /** The second factor of one account from all addresses that it does not know: whoever gets there has its password. */
  readonly secondFactorElsewhere: AttemptLimit;
  /** All logins from one address that is not known to them. */
  readonly address: AttemptLimit;
  /** A password or a code, asked for again in one session. */
  readonly session: AttemptLimit;
}

/** @param free - Of each count, how many tries meet no delay. */
export function attemptPolicy(free: {
  login: number;
  loginElsewhere: number;
  address: number;
}): AttemptPolicy {
  return {
    login: { free: free.login, maxDelayMs: 15 * minuteMs, forgetMs: 24 * 60 * minuteMs },
    loginElsewhere: { free: free.loginElsewhere, maxDelayMs: minuteMs, forgetMs: 60 * minuteMs },
    address: { free: free.address, maxDelayMs: 5 * minuteMs, forgetMs: 60 * minuteMs },
    secondFactorElsewhere: { free: 4 * free.login, maxDelayMs: 15 * minuteMs, forgetMs: 24 * 60 * minuteMs },
    session: { free: free.login, maxDelayMs: 15 * minuteMs, forgetMs: 24 * 60 * minuteMs },
  };
}

/** What the counts' keys are made with, from REFRESH_SECRET (RFC 5869). */
export function attemptSecret(secret: string): Buffer {
  return Buffer.from(hkdfSync("sha256", secret, "", "chirrup user attempts", 32));
}

/**
 * The key of one count, 16 bytes. Keyed, so that a table that leaks tells neither logins nor addresses to who can
 * guess them. The kind and the parts cannot run into each other: each is preceded by its length.
 */
export function attemptKey(secret: Buffer, kind: string, ...parts: readonly string[]): Buffer {
  const mac = createHmac("sha256", secret);
  for (const part of [kind, ...parts]) mac.update(`${Buffer.byteLength(part)}:`).update(part);
  return mac.digest().subarray(0, 16);
}
