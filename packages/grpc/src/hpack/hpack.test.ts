import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { HpackDecoder, type HeaderBlock } from "./decoder.ts";
import { HpackEncoder, type Indexing } from "./encoder.ts";
import { HpackError } from "./error.ts";

type Pair = readonly [name: string, value: string];

const pairsOf = ({ fields }: HeaderBlock): Pair[] => fields.map(({ name, value }) => [name, value]);

function decodeHex(decoder: HpackDecoder, hex: string): Pair[] {
  const block = Buffer.from(hex.replaceAll(" ", ""), "hex");
  return pairsOf(decoder.decode(block, 0, block.length));
}

const request = (path: string, scheme: string, authority = "www.example.com"): Pair[] => [
  [":method", "GET"],
  [":scheme", scheme],
  [":path", path],
  [":authority", authority],
];
const date = "Mon, 21 Oct 2013 20:13:21 GMT";
const responses: Pair[][] = [
  [
    [":status", "302"],
    ["cache-control", "private"],
    ["date", date],
    ["location", "https://www.example.com"],
  ],
  [
    [":status", "307"],
    ["cache-control", "private"],
    ["date", date],
    ["location", "https://www.example.com"],
  ],
  [
    [":status", "200"],
    ["cache-control", "private"],
    ["date", "Mon, 21 Oct 2013 20:13:22 GMT"],
    ["location", "https://www.example.com"],
    ["content-encoding", "gzip"],
    ["set-cookie", "foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1"],
  ],
];

describe("the examples of RFC 7541, appendix C", () => {
  it.each([
    ["C.2.1", "400a637573746f6d2d6b65790d637573746f6d2d686561646572", [["custom-key", "custom-header"]], 55],
    ["C.2.2", "040c2f73616d706c652f70617468", [[":path", "/sample/path"]], 0],
    ["C.2.3", "100870617373776f726406736563726574", [["password", "secret"]], 0],
    ["C.2.4", "82", [[":method", "GET"]], 0],
  ])("%s", (_, hex, fields, tableSize) => {
    const decoder = new HpackDecoder();
    expect(decodeHex(decoder, hex)).toEqual(fields);
    expect(decoder.tableSize).toBe(tableSize);
  });

  it.each([
    [
      "C.3, without Huffman codes",
      [
        "828684410f7777772e6578616d706c652e636f6d",
        "828684be58086e6f2d6361636865",
        "828785bf400a637573746f6d2d6b65790c637573746f6d2d76616c7565",
      ],
    ],
    [
      "C.4, with Huffman codes",
      [
        "828684418cf1e3c2e5f23a6ba0ab90f4ff",
        "828684be5886a8eb10649cbf",
        "828785bf408825a849e95ba97d7f8925a849e95bb8e8b4bf",
      ],
    ],
  ])("%s", (_, [first = "", second = "", third = ""]) => {
    const decoder = new HpackDecoder();
    expect(decodeHex(decoder, first)).toEqual(request("/", "http"));
    expect(decoder.tableSize).toBe(57);
    expect(decodeHex(decoder, second)).toEqual([...request("/", "http"), ["cache-control", "no-cache"]]);
    expect(decoder.tableSize).toBe(110);
    expect(decodeHex(decoder, third)).toEqual([
      ...request("/index.html", "https"),
      ["custom-key", "custom-value"],
    ]);
    expect(decoder.tableSize).toBe(164);
  });

  it("C.6, with evictions", () => {
    const decoder = new HpackDecoder({ maxTableSize: 256 });
    const blocks = [
      "488264025885aec3771a4b6196d07abe941054d444a8200595040b8166e082a62d1bff6e919d29ad171863c78f0b97c8e9ae82ae43d3",
      "4883640effc1c0bf",
      "88c16196d07abe941054d444a8200595040b8166e084a62d1bffc05a839bd9ab77ad94e7821dd7f2e6c7b335dfdfcd5b3960d5af27087f3672c1ab270fb5291f9587316065c003ed4ee5b1063d5007",
    ];
    for (const [at, block] of blocks.entries()) expect(decodeHex(decoder, block)).toEqual(responses[at]);
    expect(decoder.tableSize).toBe(215);
  });
});

const name = fc.stringMatching(/^[a-z][a-z0-9-]{0,20}$/);
const value = fc.stringMatching(/^[!-~]{0,60}$/);
const indexing = fc.constantFrom<Indexing[]>("index", "plain", "never");
const list = fc.array(fc.tuple(fc.oneof(fc.constantFrom("te", "x-a", ":path"), name), value, indexing), {
  maxLength: 12,
});
const step = fc.oneof(
  { weight: 5, arbitrary: list },
  { weight: 1, arbitrary: fc.integer({ min: 0, max: 5_000 }) },
);

describe("encoder and decoder", () => {
  it("understand each other, whatever is indexed and however the table is limited", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 20 }), (steps) => {
        const encoder = new HpackEncoder();
        const decoder = new HpackDecoder();
        for (const each of steps) {
          if (typeof each === "number") {
            encoder.limitTable(each);
            continue;
          }
          encoder.begin();
          for (const [key, text, how] of each) {
            if (how === "plain") encoder.varying(key, text);
            else encoder.field(key, text, how);
          }
          const block = Buffer.from(encoder.end());
          expect(pairsOf(decoder.decode(block, 0, block.length))).toEqual(
            each.map(([key, text]) => [key, text]),
          );
        }
      }),
    );
  });

  it("repeat a block in an octet a field, and octets that were kept", () => {
    const encoder = new HpackEncoder();
    const decoder = new HpackDecoder();
    const fields: Pair[] = [
      [":method", "POST"],
      [":path", "/test.Echo/Say"],
      ["x-secret", "s".repeat(40)],
    ];
    const encode = (): Buffer => {
      encoder.begin();
      for (const [key, text] of fields) encoder.field(key, text, "index");
      return Buffer.from(encoder.end());
    };
    const first = encode();
    const again = encode();
    const { revision } = encoder;
    expect(again.length).toBe(3);
    expect(decoder.decode(first, 0, first.length).fields).toHaveLength(3);
    const decoded = decoder.decode(again, 0, again.length);
    expect(pairsOf(decoded)).toEqual(fields);
    expect(decoder.decode(again, 0, again.length), "is remembered").toBe(decoded);
    encoder.begin();
    encoder.field("x-new", "1", "index");
    expect(encoder.revision).not.toBe(revision);
    decoder.decode(encoder.end(), 0, encoder.end().length);
    const moved = encode();
    expect(pairsOf(decoder.decode(moved, 0, moved.length))).toEqual(fields);
  });
});

describe("a decoder", () => {
  it.each([
    ["an index of nothing", "80"],
    ["an index behind the table", "be"],
    ["a cut integer", "7fff"],
    ["an integer without end", "7fffffffffffffffff"],
    ["a cut string", "400a6375"],
    ["a table above what was allowed", "3fe21f"],
    ["a size update behind a field", "8220"],
  ])("refuses %s", (_, hex) => {
    expect(() => decodeHex(new HpackDecoder(), hex)).toThrow(HpackError);
  });

  it("marks what RFC 9113 does not allow in a field", () => {
    for (const [key, text] of [
      ["Upper", "x"],
      ["sp ace", "x"],
      ["", "x"],
      ["a", "line\nbreak"],
      ["a", " blank"],
      ["a", "nul\0"],
    ] as const) {
      const encoder = new HpackEncoder();
      encoder.begin();
      encoder.field(key, text, "plain");
      const block = encoder.end();
      expect(new HpackDecoder().decode(block, 0, block.length).valid, `${key}: ${text}`).toBe(false);
    }
  });

  it("keeps no more of a list than its limit, and stays in step with the table", () => {
    const encoder = new HpackEncoder();
    const decoder = new HpackDecoder({ maxListSize: 10_000 });
    encoder.begin();
    encoder.field("x-bomb", "b".repeat(3_900), "index");
    // Each octet is a field of nearly 4 KB.
    for (let at = 0; at < 4_000; at++) encoder.field("x-bomb", "b".repeat(3_900), "index");
    const block = Buffer.from(encoder.end());
    expect(block.length).toBeLessThan(9_000);
    const decoded = decoder.decode(block, 0, block.length);
    expect(decoded.tooLarge).toBe(true);
    expect(decoded.fields.length).toBeLessThanOrEqual(2);
    encoder.begin();
    encoder.field("x-bomb", "b".repeat(3_900), "index");
    const next = Buffer.from(encoder.end());
    expect(decoder.decode(next, 0, next.length).fields[0]?.name).toBe("x-bomb");
  });

  it("survives any octets", () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 64 }), { maxLength: 8 }), (blocks) => {
        const decoder = new HpackDecoder();
        try {
          for (const block of blocks) decoder.decode(Buffer.from(block), 0, block.length);
        } catch (error) {
          if (!(error instanceof HpackError)) throw error;
        }
        expect(decoder.tableSize).toBeLessThanOrEqual(4_096);
      }),
      { numRuns: 1_000 },
    );
  });
});
