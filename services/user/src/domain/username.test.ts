import { describe, expect, it } from "vitest";
import { checkNewUsername, usernameSkeleton } from "./username.ts";

describe("a new username", () => {
  it.each([
    "admin",
    "ADMIN",
    "Adm1n",
    "_admin_",
    "r00t",
    "Supp0rt",
    "5ecurity",
    "Chirrup",
    "no_reply",
    "mai1er",
  ])("is not %s", (name) => {
    expect(checkNewUsername(name)).toEqual({ problem: "is reserved" });
  });

  it.each(["demo", "ada", "administers", "rooted", "user_1", "Zoe_99"])("may be %s", (name) => {
    expect(checkNewUsername(name)).toEqual({ value: name });
  });

  it.each(["ab", "a".repeat(31), "a b", "zo\u00eb", "\u0430da", "ada\n", ""])("has no %j", (name) => {
    expect(checkNewUsername(name)).toHaveProperty("problem");
  });
});

describe("a skeleton", () => {
  it.each([
    ["paypal", "paypaI"],
    ["bill", "bi1l"],
    ["bob", "B0B"],
    ["modern", "modem"],
    ["Ada", "aDA"],
  ])("is the same for %s and %s", (one, other) => {
    expect(usernameSkeleton(one)).toBe(usernameSkeleton(other));
  });

  it.each([
    ["user_1", "user_2"],
    ["anna", "ana"],
    ["a_b", "ab_"],
  ])("differs for %s and %s", (one, other) => {
    expect(usernameSkeleton(one)).not.toBe(usernameSkeleton(other));
  });
});
