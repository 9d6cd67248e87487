import { DomainError } from "@chirrup/platform";
import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { maxCodePoints, normalContent } from "./content.ts";

/** The rule as it is written down, at whatever cost. */
function isValid(text: string): boolean {
  const length = Array.from(text.normalize("NFC")).length;
  const saysSomething = /[^\s\p{White_Space}]/u.test(text);
  return text.isWellFormed() && !text.includes("\0") && saysSomething && length <= maxCodePoints;
}

function accepts(text: string): boolean {
  try {
    normalContent(text);
    return true;
  } catch (error) {
    if (error instanceof DomainError && error.violations[0]?.field === "content") return false;
    throw error;
  }
}

// Letters that compose, decompose to four, never compose, lie outside the first plane; marks in no order.
const pieces = [
  "a",
  "e\u0301",
  "\u1f82",
  "\u03b1\u0313\u0300\u0345",
  "\u0344",
  "\u0958",
  "\u1112\u1161\u11ab",
  "🐦",
  "\u0316\u0301",
  "\u0301",
  "\u{1d165}",
  " ",
  "\n",
];

describe("normalContent", () => {
  it("keeps text in normal form C as it is", () => {
    const texts = fc.string({ unit: "grapheme", minLength: 1 }).filter((text) => isValid(text));
    fc.assert(
      fc.property(texts, (text) => {
        expect(normalContent(text)).toBe(text.normalize("NFC"));
      }),
    );
  });

  it("accepts what the rule accepts, at the borders of every length", () => {
    const repeated = fc
      .tuple(
        fc.constantFrom(...pieces),
        fc.constantFrom(1_250, 1_251, 2_500, 4_999, 5_000, 5_001, 5_003, 5_004, 20_000, 20_001),
      )
      .map(([piece, times]) => piece.repeat(times));
    const text = fc
      .tuple(fc.constantFrom("", "α", ...pieces), repeated, fc.constantFrom("", "x"))
      .map((parts) => parts.join(""));
    fc.assert(
      fc.property(text, (sent) => {
        expect(accepts(sent)).toBe(isValid(sent));
      }),
      { numRuns: 60 },
    );
  });

  it("accepts any string that the rule accepts, and no other", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        expect(accepts(text)).toBe(isValid(text));
      }),
    );
  });

  it.each(["", " ", "\n\t", "\u00a0\u2003", "\u0085", "\ufeff"])("refuses white space alone: %j", (text) => {
    expect(accepts(text)).toBe(false);
  });

  it("refuses NUL and halves of surrogate pairs", () => {
    expect(accepts("a\0b")).toBe(false);
    expect(accepts("a\ud83d")).toBe(false);
    expect(accepts("\udc26a")).toBe(false);
  });

  it("counts after normalising", () => {
    expect(normalContent("e\u0301".repeat(maxCodePoints))).toBe("é".repeat(maxCodePoints));
    expect(accepts("\u0958".repeat(maxCodePoints / 2 + 1))).toBe(false);
    expect(accepts("🐦".repeat(maxCodePoints))).toBe(true);
    expect(accepts("🐦".repeat(maxCodePoints + 1))).toBe(false);
  });

  it("lets pass what shrinks the most", () => {
    const fourInOne = "\u03b1\u0313\u0300\u0345";
    expect(normalContent(fourInOne.repeat(maxCodePoints))).toBe("\u1f82".repeat(maxCodePoints));
    const marks = "\u0316".repeat(maxCodePoints - 1);
    expect(normalContent(fourInOne + marks)).toBe(`\u1f82${marks}`);
    expect(accepts(`${fourInOne}${marks}\u0316`)).toBe(false);
  });

  it("refuses a flood of marks without putting it in order", () => {
    const before = performance.now();
    expect(accepts(`a${"\u0301\u0316".repeat(60_000)}`)).toBe(false);
    for (let times = 0; times < 10; times++) expect(accepts("\u0301\u0316".repeat(9_990))).toBe(false);
    expect(performance.now() - before).toBeLessThan(500);
  });
});
