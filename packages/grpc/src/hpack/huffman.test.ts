import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { HpackError } from "./error.ts";
import { huffmanDecode, huffmanEncode, huffmanLength } from "./huffman.ts";

function encode(text: string): Buffer {
  const target = Buffer.alloc(huffmanLength(text));
  expect(huffmanEncode(text, target, 0)).toBe(target.length);
  return target;
}

const octets = fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes).toString("latin1"));

describe("Huffman coding", () => {
  it("gives back any string of octets", () => {
    fc.assert(
      fc.property(octets, (text) => {
        const coded = encode(text);
        expect(huffmanDecode(coded, 0, coded.length)).toBe(text);
      }),
    );
  });

  it.each([
    ["www.example.com", "f1e3c2e5f23a6ba0ab90f4ff"],
    ["no-cache", "a8eb10649cbf"],
    ["custom-key", "25a849e95ba97d7f"],
    ["custom-value", "25a849e95bb8e8b4bf"],
    ["Mon, 21 Oct 2013 20:13:21 GMT", "d07abe941054d444a8200595040b8166e082a62d1bff"],
  ])("knows the codes of RFC 7541, appendix C: %s", (text, hex) => {
    expect(encode(text).toString("hex")).toBe(hex);
    expect(huffmanDecode(Buffer.from(hex, "hex"), 0, hex.length / 2)).toBe(text);
  });

  it.each([
    ["padding of zeros", "f1e3c2e5f23a6ba0ab90f400"],
    ["eight bits of padding", "a8eb10649cbfff"],
    ["EOS", "ffffffff"],
  ])("refuses %s", (_, hex) => {
    expect(() => huffmanDecode(Buffer.from(hex, "hex"), 0, hex.length / 2)).toThrow(HpackError);
  });
});
