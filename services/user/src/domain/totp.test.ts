import { describe, expect, it } from "vitest";
import {
  base32,
  hashRecoveryCode,
  matchTotp,
  mintRecoveryCodes,
  mintTotpSecret,
  totpCode,
  totpStep,
  totpUri,
} from "./totp.ts";

/** The secret of RFC 6238's appendix B. */
const secret = Buffer.from("12345678901234567890");

describe("a code", () => {
  // Appendix B gives eight digits, of which these are the last six.
  it.each([
    [59, "287082"],
    [1111111109, "081804"],
    [1111111111, "050471"],
    [1234567890, "005924"],
    [2000000000, "279037"],
    [20000000000, "353130"],
  ])("at %i s is %s, as RFC 6238 has it", (seconds, code) => {
    const now = new Date(seconds * 1_000);
    expect(totpCode(secret, totpStep(now))).toBe(code);
    expect(matchTotp(secret, code, now, { lastStep: 0n, driftSteps: 1 })).toBe(totpStep(now));
  });

  it("is good for its step and the one on either side, once", () => {
    const now = new Date(1_700_000_000_000);
    const step = totpStep(now);
    const codeAt = (offset: bigint) => totpCode(secret, step + offset);
    expect(
      [-2n, -1n, 0n, 1n, 2n].map((offset) =>
        matchTotp(secret, codeAt(offset), now, { lastStep: 0n, driftSteps: 1 }),
      ),
    ).toEqual([undefined, step - 1n, step, step + 1n, undefined]);
    expect(matchTotp(secret, codeAt(0n), now, { lastStep: step, driftSteps: 1 })).toBeUndefined();
    expect(matchTotp(secret, codeAt(-1n), now, { lastStep: step, driftSteps: 1 })).toBeUndefined();
    expect(matchTotp(secret, codeAt(1n), now, { lastStep: step, driftSteps: 1 })).toBe(step + 1n);
  });

  it("is good for its own 30 seconds alone when no drift is allowed", () => {
    const now = new Date(1_700_000_000_000);
    const step = totpStep(now);
    const limits = { lastStep: 0n, driftSteps: 0 };
    const found = [-1n, 0n, 1n].map((offset) =>
      matchTotp(secret, totpCode(secret, step + offset), now, limits),
    );
    expect(found).toEqual([undefined, step, undefined]);
  });

  it.each(["", "28708", "2870822", "28708x", "\u0662\u0668\u0667\u0660\u0668\u0662"])(
    "is never %j",
    (code) => {
      expect(matchTotp(secret, code, new Date(59_000), { lastStep: 0n, driftSteps: 1 })).toBeUndefined();
    },
  );
});

describe("the secret", () => {
  it.each([
    ["", ""],
    ["f", "MY"],
    ["foobar", "MZXW6YTBOI"],
  ])("of %j is written %s (RFC 4648)", (text, written) => {
    expect(base32(Buffer.from(text))).toBe(written);
  });

  it("has 160 bits and travels in a URI", () => {
    expect(mintTotpSecret()).toHaveLength(20);
    expect(totpUri(secret, "ada")).toBe(
      "otpauth://totp/Chirrup:ada?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Chirrup",
    );
  });
});

describe("recovery codes", () => {
  it("are ten different ones, known again however they are written", () => {
    const codes = mintRecoveryCodes();
    expect(new Set(codes).size).toBe(10);
    for (const code of codes) {
      expect(code).toMatch(/^[a-z2-7]{6}(?:-[a-z2-7]{6}){3}$/);
      expect(hashRecoveryCode(code.toUpperCase().replaceAll("-", " "))).toEqual(hashRecoveryCode(code));
    }
    expect(hashRecoveryCode("287082")).toBeUndefined();
  });
});
