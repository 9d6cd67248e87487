import { describe, expect, it } from "vitest";
import { checkNewPassword, presentedPassword } from "./password.ts";
import { checkBio, checkDisplayName } from "./profile.ts";
import { checkUsername } from "./username.ts";

const ok = (value: string) => ({ value });
const checkPassword = (text: string) => checkNewPassword(text, { common: new Set(), names: [] });
const problem = { problem: expect.any(String) as string };

describe("checkUsername", () => {
  it.each(["abc", "A_1", "x".repeat(30)])("takes %j", (text) => {
    expect(checkUsername(text)).toEqual(ok(text));
  });
  it.each(["", "ab", "x".repeat(31), "a b", "a-b", "\u00e4bc", "abc\n", "abc\0"])("refuses %j", (text) => {
    expect(checkUsername(text)).toEqual(problem);
  });
});

describe("checkDisplayName", () => {
  it("counts code points after NFC and trim", () => {
    expect(checkDisplayName("  Zoe\u0308 \u3000")).toEqual(ok("Zo\u00eb"));
    expect(checkDisplayName("\u{1f426}".repeat(50))).toEqual(ok("\u{1f426}".repeat(50)));
    expect(checkDisplayName("e\u0308".repeat(50))).toEqual(ok("\u00eb".repeat(50)));
    expect(checkDisplayName("\u{1f426}".repeat(51))).toEqual(problem);
  });
  it("keeps an emoji that is joined of several", () => {
    const family = "\u{1f469}\u200d\u{1f467}";
    expect(checkDisplayName(family)).toEqual(ok(family));
  });
  it.each(["", "   ", "\u200b\u2060", "a\u0000b", "a\nb", "a\u202eb", "a\u2028b", " ".repeat(1_000_000)])(
    "refuses %j",
    (text) => {
      expect(checkDisplayName(text)).toEqual(problem);
    },
  );
});

describe("checkBio", () => {
  it("takes nothing, and 160 code points as they are sent", () => {
    expect(checkBio("")).toEqual(ok(""));
    expect(checkBio(` ${"b".repeat(158)} `)).toEqual(ok(` ${"b".repeat(158)} `));
    expect(checkBio("b".repeat(161))).toEqual(problem);
    expect(checkBio("a\tb")).toEqual(problem);
  });
});

describe("passwords", () => {
  it("are 8 to 128 code points after NFC", () => {
    expect(checkPassword("\u{1f426}".repeat(8))).toEqual(ok("\u{1f426}".repeat(8)));
    expect(checkPassword("\u{1f426}".repeat(7))).toEqual(problem);
    expect(checkPassword("e\u0308".repeat(7))).toEqual(problem);
    expect(checkPassword("p".repeat(128))).toEqual(ok("p".repeat(128)));
    expect(checkPassword("p".repeat(129))).toEqual(problem);
    expect(checkPassword("pass\0word")).toEqual(problem);
  });
  it("keep the spaces at both ends", () => {
    expect(checkPassword("  secret  ")).toEqual(ok("  secret  "));
  });
  it("are compared in the form in which they were set", () => {
    expect(presentedPassword("e\u0308")).toBe("\u00eb");
    expect(presentedPassword("p".repeat(128))).toBe("p".repeat(128));
    expect(presentedPassword("p".repeat(129))).toBeUndefined();
    expect(presentedPassword("p".repeat(1_000_000))).toBeUndefined();
  });
});
