import { describe, expect, it } from "vitest";
import { slotOf, slotOfTag } from "./slot.ts";

describe("the slot of a key", () => {
  it("is the specification's", () => {
    // CRC16("123456789") = 0x31C3, the check value of XMODEM.
    expect(slotOf("123456789")).toBe(0x31c3);
    expect(slotOf("foo")).toBe(12_182);
    expect(slotOf("{user1000}.following")).toBe(slotOf("{user1000}.followers"));
    expect(slotOf("foo{}{bar}")).not.toBe(slotOf("bar"));
    expect(slotOf("foo{{bar}}zap")).toBe(slotOf("{bar"));
    expect(slotOf("foo{bar}{zap}")).toBe(slotOf("bar"));
    expect(slotOfTag("17")).toBe(slotOf("home:{17}"));
  });
});
