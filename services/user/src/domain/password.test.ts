import { describe, expect, it } from "vitest";
import { readCommonPasswords } from "../common-passwords.ts";
import { checkNewPassword, presentedPassword } from "./password.ts";
import { codePoints } from "./text.ts";

const common = readCommonPasswords();
const ada = { common, names: ["Ada_Lovelace", "countess@example.com"] };
const problemOf = (text: string): string | undefined => {
  const checked = checkNewPassword(text, ada);
  return "problem" in checked ? checked.problem : undefined;
};

describe("the list of common passwords", () => {
  it("is bounded, in lower case, of passwords long enough to be set, each once", () => {
    const list = [...common];
    expect(list.length).toBeGreaterThan(3_000);
    expect(list.length).toBeLessThanOrEqual(20_000);
    expect(
      list.filter((text) => codePoints(text) < 8 || text !== text.toLowerCase().normalize("NFC")),
    ).toEqual([]);
  });
});

describe("a new password", () => {
  it.each(["Password", "PASSWORD123", "qwertyuiop", "iloveyou", "trustno1"])("is not %s", (text) => {
    expect(problemOf(text)).toContain("guessed first");
  });

  it.each([
    "ada_lovelace",
    "Ada_Lovelace1815",
    "countess_",
    "12-Countess!",
    "countess@example.com",
    "chirrup2026",
  ])("is not %s, which the account itself tells", (text) => {
    expect(problemOf(text)).toContain("must not be made of");
  });

  it.each([
    "correct horse",
    "ada_lovelace and a horse",
    "countess-7290462781",
    "98172634",
    "пароль-длинный",
    "\u{1f40e}".repeat(8),
  ])("may be %s", (text) => {
    expect(problemOf(text)).toBeUndefined();
  });

  it("has 8 to 128 code points after NFC and no control character", () => {
    expect(problemOf("seven77")).toContain("8 to 128");
    expect(problemOf("é\u0301".repeat(128))).toContain("8 to 128");
    expect(problemOf("e\u0301".repeat(128))).toBeUndefined();
    expect(problemOf("with\0zero")).toContain("control");
  });
});

it("a presented password takes the form in which it was set", () => {
  expect(presentedPassword("e\u0301".repeat(128))).toBe("\u00e9".repeat(128));
  expect(presentedPassword("x".repeat(129))).toBeUndefined();
});
