import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createCursors } from "./cursors.ts";

const cursors = createCursors("a secret of at least thirty-two characters");
const ids = fc.bigInt({ min: 0n, max: 2n ** 63n - 1n });
const scopes = fc.string({ unit: "binary" });
const refused = expect.objectContaining({ violations: [expect.objectContaining({ field: "cursor" })] });

describe("cursors", () => {
  it("give back the id that they were made of", () => {
    fc.assert(
      fc.property(scopes, ids, (scope, id) => {
        const cursor = cursors.encode(scope, id);
        expect(cursor).toMatch(/^[A-Za-z0-9_-]{32}$/);
        expect(cursors.decode(scope, cursor)).toBe(id);
      }),
    );
  });

  it("start at the top when empty", () => {
    expect(cursors.decode("comments:1", "")).toBeUndefined();
  });

  it("are refused in another scope", () => {
    fc.assert(
      fc.property(scopes, scopes, ids, (scope, other, id) => {
        fc.pre(scope !== other);
        expect(() => cursors.decode(other, cursors.encode(scope, id))).toThrow(refused);
      }),
    );
  });

  it("are refused under another secret", () => {
    const others = createCursors("another secret of thirty-two characters");
    expect(() => cursors.decode("s", others.encode("s", 1n))).toThrow(refused);
  });

  it("are refused when any one bit was changed", () => {
    fc.assert(
      fc.property(scopes, ids, fc.nat(24 * 8 - 1), (scope, id, bit) => {
        const bytes = Buffer.from(cursors.encode(scope, id), "base64url");
        bytes.writeUInt8(bytes.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
        expect(() => cursors.decode(scope, bytes.toString("base64url"))).toThrow(refused);
      }),
    );
  });

  it("are refused in any other spelling", () => {
    const cursor = cursors.encode("s", 77n);
    for (const other of [
      `${cursor}=`,
      ` ${cursor}`,
      `${cursor}\n`,
      cursor.slice(1),
      `${cursor}AAAA`,
      `+/${cursor.slice(2)}`,
      "junk",
      "0",
    ]) {
      expect(() => cursors.decode("s", other)).toThrow(refused);
    }
    fc.assert(
      fc.property(fc.string({ minLength: 1 }), (junk) => {
        expect(() => cursors.decode("s", junk)).toThrow(refused);
      }),
    );
  });

  it("are not made of what is no id", () => {
    expect(() => cursors.encode("s", -1n)).toThrow(RangeError);
    expect(() => cursors.encode("s", 2n ** 63n)).toThrow(RangeError);
  });
});
