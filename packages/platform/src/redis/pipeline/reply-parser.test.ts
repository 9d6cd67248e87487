import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createReplyParser, RedisError, type Reply } from "./reply-parser.ts";

const line = fc.string({ unit: "grapheme" }).map((text) => text.replaceAll(/[\r\n]/g, "_"));
const { reply } = fc.letrec<{ reply: Reply }>((tie) => ({
  reply: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    fc.nat(),
    fc.integer(),
    fc.maxSafeInteger(),
    fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).filter((n) => !Number.isSafeInteger(Number(n))),
    fc.constant(null),
    fc.string({ unit: "binary", maxLength: 200 }),
    line.map((message) => new RedisError(message)),
    fc.array(tie("reply"), { maxLength: 6 }),
  ),
}));

function encode(value: Reply): Buffer {
  if (value === null) return Buffer.from("$-1\r\n");
  if (value instanceof RedisError) return Buffer.from(`-${value.message}\r\n`);
  if (typeof value === "string")
    return Buffer.concat([
      Buffer.from(`$${Buffer.byteLength(value)}\r\n`),
      Buffer.from(value),
      Buffer.from("\r\n"),
    ]);
  if (typeof value === "object")
    return Buffer.concat([Buffer.from(`*${value.length}\r\n`), ...value.map(encode)]);
  return Buffer.from(`:${value}\r\n`);
}

function parse(pieces: readonly Buffer[]): Reply[] {
  const replies: Reply[] = [];
  const parser = createReplyParser((value) => replies.push(value));
  for (const piece of pieces) parser.push(piece);
  return replies;
}

function cut(bytes: Buffer, places: readonly number[]): Buffer[] {
  const ends = [...new Set(places.map((place) => place % (bytes.length + 1)))].sort((a, b) => a - b);
  return [0, ...ends].map((start, at) => bytes.subarray(start, ends[at] ?? bytes.length));
}

describe("the parser of replies", () => {
  it("reads what was sent, wherever the bytes are cut", () => {
    fc.assert(
      fc.property(
        fc.array(reply, { maxLength: 20 }),
        fc.array(fc.nat(), { maxLength: 30 }),
        (replies, places) => {
          expect(parse(cut(Buffer.concat(replies.map(encode)), places))).toEqual(replies);
        },
      ),
      { numRuns: 2_000 },
    );
  });

  it("reads bytes that come one by one", () => {
    const replies: Reply[] = [
      1,
      "zwölf\r\n",
      ["a", [], null, [-7, 2n ** 63n - 1n]],
      new RedisError("ERR no"),
      "",
    ];
    const bytes = Buffer.concat(replies.map(encode));
    expect(parse([...bytes].map((byte) => Buffer.from([byte])))).toEqual(replies);
    expect(parse([Buffer.from("+OK\r\n*-1\r\n")])).toEqual(["OK", null]);
  });

  it("reads a large reply in many pieces without copying it for each", () => {
    const text = "x".repeat(20_000_000);
    const bytes = encode([text, 1]);
    const pieces = Array.from({ length: Math.ceil(bytes.length / 1_000) }, (_, at) =>
      bytes.subarray(at * 1_000, (at + 1) * 1_000),
    );
    expect(parse(pieces)).toEqual([[text, 1]]);
  });

  it("refuses what is not RESP", () => {
    for (const wrong of [
      "$x\r\n",
      "$-2\r\n",
      ":\r\n",
      ":1a\r\n",
      "*1x\r\n",
      "$1\r\nab\r\n",
      "+a\rb\r\n",
      "H",
    ])
      expect(() => parse([Buffer.from(wrong)]), wrong).toThrow("not RESP");
    expect(() => parse([Buffer.alloc(70_000, "+")])).toThrow("without an end");
  });
});
