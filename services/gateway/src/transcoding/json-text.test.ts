import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { maxDepth, parseJson } from "./json-text.ts";

const parse = (text: string): unknown => {
  const parsed = parseJson(Buffer.from(text));
  return "value" in parsed ? parsed.value : parsed.violation.description;
};

describe("parseJson", () => {
  it("agrees with JSON.parse where no key comes twice", () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 5 }), (value) => {
        const rounded = (_: string, item: unknown): unknown =>
          typeof item === "bigint" ? Number(item) : item;
        const parsed = JSON.stringify(parse(JSON.stringify(value, null, 1)), rounded);
        expect(JSON.parse(parsed)).toEqual(JSON.parse(JSON.stringify(value)));
      }),
      { numRuns: 1_000 },
    );
  });

  it("finds a key that comes twice, at any depth and in any spelling", () => {
    fc.assert(
      fc.property(
        fc.string({ unit: "binary-ascii" }),
        fc.jsonValue({ maxDepth: 2 }),
        fc.jsonValue({ maxDepth: 2 }),
        (key, one, two) => {
          const spelled = `"${Array.from(key, (char) => `\\u${(char.codePointAt(0) ?? 0).toString(16).padStart(4, "0")}`).join("")}"`;
          const text = `[{"other${key.length}x":1,"in":{${JSON.stringify(key)}:${JSON.stringify(one)},${spelled}:${JSON.stringify(two)}}}]`;
          expect(parse(text)).toBe("must not have a key twice in one object");
        },
      ),
    );
  });

  it("does not take text in strings, or keys of other objects, for keys", () => {
    const text = '{"a":{"a":["a","a",{"a":1}],"b":"{\\"a\\":1,\\"a\\":2}"},"b":{"a":1}}';
    expect(parse(text)).toEqual(JSON.parse(text));
  });

  it("keeps integers that a number would round, and only those", () => {
    const text =
      '[9007199254740993, -9223372036854775808, 1234567890123456, 1.2345678901234567, 1e20, "9007199254740993"]';
    expect(parse(text)).toEqual([
      9007199254740993n,
      -9223372036854775808n,
      1234567890123456,
      1.2345678901234567,
      1e20,
      "9007199254740993",
    ]);
    // Beyond 64 bits they are for doubles alone.
    expect(parse(`[${"9".repeat(400)}]`)).toEqual([Infinity]);
  });

  it("limits the depth to the level", () => {
    const nested = (depth: number): string => "[".repeat(depth) + "]".repeat(depth);
    expect(Array.isArray(parse(nested(maxDepth)))).toBe(true);
    expect(parse(nested(maxDepth + 1))).toMatch(/deeper than/);
  });
});
