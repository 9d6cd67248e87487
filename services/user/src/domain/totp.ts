import { createHash, createHmac, randomBytes, timingSafeEqual } from "node:crypto";

// RFC 6238 with what every authenticator app understands: SHA-1, six digits, steps of 30 seconds.
const stepMs = 30_000;
const digits = 6;
const secretBytes = 20;
const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const codePattern = /^\d{6}$/;

const recoveryCodes = 10;
const recoveryGroups = 4;
const recoveryGroupLength = 6;
const recoveryPattern = /^[A-Z2-7]{24}$/;

/** 160 random bits (RFC 4226, 4). */
export function mintTotpSecret(): Buffer {
  return randomBytes(secretBytes);
}

/** The code of one time step (RFC 4226, 5.3). */
export function totpCode(secret: Buffer, step: bigint): string {
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(step);
  const mac = createHmac("sha1", secret).update(counter).digest();
  const offset = (mac.at(-1) ?? 0) & 0xf;
  const number = mac.readUInt32BE(offset) & 0x7fff_ffff;
  return String(number % 10 ** digits).padStart(digits, "0");
}

export function totpStep(now: Date): bigint {
  return BigInt(Math.floor(now.getTime() / stepMs));
}

/**
 * The step that a code belongs to, if it is one of now and after `lastStep`: a code that was taken, or an older one,
 * is not taken again (RFC 6238, 5.2).
 *
 * @param options.driftSteps - By how many steps of 30 seconds the app's clock, and its owner, may be early or late.
 */
export function matchTotp(
  secret: Buffer,
  code: string,
  now: Date,
  { lastStep, driftSteps }: { lastStep: bigint; driftSteps: number },
): bigint | undefined {
  const presented = code.replaceAll(" ", "");
  if (!codePattern.test(presented)) return undefined;
  const current = totpStep(now);
  for (let step = current - BigInt(driftSteps); step <= current + BigInt(driftSteps); step++) {
    const matches = timingSafeEqual(Buffer.from(totpCode(secret, step)), Buffer.from(presented));
    if (matches && step > lastStep) return step;
  }
  return undefined;
}

/** For an authenticator app, which shows it as "Chirrup (ada)". Source: Google Authenticator's "Key URI Format". */
export function totpUri(secret: Buffer, username: string): string {
  const parameters = new URLSearchParams({ secret: base32(secret), issuer: "Chirrup" });
  return `otpauth://totp/Chirrup:${encodeURIComponent(username)}?${parameters.toString()}`;
}

/** RFC 4648, without padding. */
export function base32(bytes: Buffer): string {
  let text = "";
  let bits = 0;
  let value = 0;
  for (const byte of bytes) {
    value = (value << 8) | byte;
    bits += 8;
    while (bits >= 5) {
      bits -= 5;
      text += alphabet[(value >> bits) & 31];
      value &= (1 << bits) - 1;
    }
  }
  return bits === 0 ? text : text + alphabet[(value << (5 - bits)) & 31];
}

/** Ten codes of 120 random bits, each to be used once instead of the second factor. */
export function mintRecoveryCodes(): string[] {
  const length = recoveryGroups * recoveryGroupLength;
  return Array.from({ length: recoveryCodes }, () => {
    const text = base32(randomBytes((length * 5) / 8)).toLowerCase();
    return Array.from({ length: recoveryGroups }, (_, group) =>
      text.slice(group * recoveryGroupLength, (group + 1) * recoveryGroupLength),
    ).join("-");
  });
}

/** What is stored of a recovery code, however it is written; undefined when it is none. */
export function hashRecoveryCode(code: string): Buffer | undefined {
  if (code.length > 64) return undefined;
  const normal = code.replaceAll(/[\s-]/g, "").toUpperCase();
  return recoveryPattern.test(normal) ? createHash("sha256").update(normal).digest() : undefined;
}
