import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { checkEmail } from "./email.ts";

describe("checkEmail", () => {
  it.each([
    [" Ada@Example.COM ", "ada@example.com"],
    ["first.last+tag@sub.example.co.uk", "first.last+tag@sub.example.co.uk"],
    ["zoe\u0308@example.com", "zo\u00eb@example.com"],
    ["a@b\u00fccher.example", "a@xn--bcher-kva.example"],
    ["a@XN--BCHER-KVA.example", "a@xn--bcher-kva.example"],
    // KELVIN SIGN folds to k: mail goes to the folded address, its owner's, or nowhere.
    ["\u212aim@example.com", "kim@example.com"],
  ])("takes %j as %j", (text, value) => {
    expect(checkEmail(text)).toEqual({ value });
  });

  it.each([
    "",
    "@example.com",
    "a@",
    "a@localhost",
    "a@@example.com",
    "a b@example.com",
    "a@exa mple.com",
    ".a@example.com",
    "a..b@example.com",
    "a@-example.com",
    "a@example-.com",
    "a@example..com",
    "a@127.0.0.1",
    "a@[127.0.0.1]",
    '"a b"@example.com',
    "a@example.com\nbcc: b@example.com",
    "a\0b@example.com",
    "a\u200bb@example.com",
    `${"a".repeat(65)}@example.com`,
    `a@${"b.".repeat(130)}com`,
    "a".repeat(1_000_000),
  ])("refuses %j", (text) => {
    expect(checkEmail(text)).toHaveProperty("problem");
  });

  it("has one normal form, which is its own", () => {
    const unit = fc.constantFrom(...Array.from("aZ1@.-+_ \u0308\u00e9\u00fc\u212a\u200b\u{1f426}"));
    fc.assert(
      fc.property(fc.oneof(fc.emailAddress(), fc.string({ unit })), (text) => {
        const once = checkEmail(text);
        if ("problem" in once) return;
        expect(checkEmail(once.value)).toEqual(once);
        expect(checkEmail(text.toUpperCase().normalize("NFD"))).toEqual(checkEmail(text.toUpperCase()));
        expect(once.value.length).toBeLessThanOrEqual(254);
      }),
    );
  });
});
