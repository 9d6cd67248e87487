import type { JsonObject, JsonValue } from "@bufbuild/protobuf";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startLibraryGateway, type LibraryGateway } from "./library-gateway.ts";

interface Row {
  /** JSON that is taken, and what the same message is in an answer. */
  readonly taken: readonly (readonly [asked: JsonObject, answered: JsonObject])[];
  /** JSON that is refused, as text where a value cannot say it. */
  readonly refused: readonly (JsonObject | string)[];
}

const same = (...messages: JsonObject[]): Row["taken"] => messages.map((json) => [json, json] as const);
const anySmall = { "@type": "type.googleapis.com/everything.v1.Small", id: 1, name: "n" };
const anyDuration = { "@type": "type.googleapis.com/google.protobuf.Duration", value: "1.500s" };

/** A row for each of https://protobuf.dev/programming-guides/json/, by the order there. */
const rows: readonly (readonly [type: string, row: Row])[] = [
  [
    "message",
    {
      taken: [
        [{ inner: { aString: "a" } }, { inner: { aString: "a" } }],
        [{ a_string: "by its own name" }, { aString: "by its own name" }],
        [{ aString: null, inner: null }, { aString: "" }],
        [{ 'quite-"other"': "renamed" }, { 'quite-"other"': "renamed" }],
      ],
      refused: [{ inner: [] }, { inner: "x" }, { nope: 1 }, { aString: "a", a_string: "b" }],
    },
  ],
  [
    "enum",
    {
      taken: [
        [{ aColour: "COLOUR_RED" }, { aColour: "COLOUR_RED" }],
        [{ aColour: 1 }, { aColour: "COLOUR_RED" }],
        [{ aColour: "COLOUR_CRIMSON" }, { aColour: "COLOUR_RED" }],
        [{ aColour: -5 }, { aColour: "COLOUR_NEGATIVE" }],
        [{ aColour: 77 }, { aColour: 77 }],
      ],
      refused: [{ aColour: "colour_red" }, { aColour: "1" }, { aColour: 1.5 }, { aColour: true }],
    },
  ],
  [
    "map<K,V>",
    {
      taken: same(
        { byString: { a: "b", "": "" } },
        { byInt32: { "-1": "9007199254740993" } },
        { byBool: { true: { id: 1, name: "" } } },
      ),
      refused: [
        { byString: { a: null } },
        { byInt32: { x: "1" } },
        { byBool: { yes: {} } },
        { byString: [] },
      ],
    },
  ],
  [
    "repeated V",
    {
      taken: [
        [
          { int32s: [1, "2"], strings: null },
          { int32s: [1, 2], strings: [] },
        ],
      ],
      refused: [{ int32s: [null] }, { int32s: 1 }, { strings: {} }],
    },
  ],
  [
    "bool",
    { taken: same({ aBool: true }, { maybeBool: false }), refused: [{ aBool: "true" }, { aBool: 0 }] },
  ],
  ["string", { taken: same({ aString: "é\u0000😀" }), refused: [{ aString: 1 }, '{"aString":"\\ud800"}'] }],
  [
    "bytes",
    {
      taken: [
        [{ someBytes: "+/8=" }, { someBytes: "+/8=" }],
        [{ someBytes: "-_8" }, { someBytes: "+/8=" }],
      ],
      refused: [{ someBytes: "a" }, { someBytes: "*" }],
    },
  ],
  [
    "int32, fixed32, uint32",
    {
      taken: [
        [
          { anInt32: -1, aUint32: "4294967295", aFixed32: 1e3 },
          { anInt32: -1, aUint32: 4294967295, aFixed32: 1000 },
        ],
        [
          { anInt32: "2.0", aUint32: "1.5e1" },
          { anInt32: 2, aUint32: 15 },
        ],
      ],
      refused: [
        { anInt32: 2147483648 },
        { aUint32: -1 },
        { anInt32: 0.5 },
        { anInt32: "" },
        { anInt32: "1e-1" },
        { anInt32: "1e99" },
        { anInt32: " 1" },
        { anInt32: "01" },
      ],
    },
  ],
  [
    "int64, fixed64, uint64",
    {
      taken: [
        [{ anInt64: "-9223372036854775808" }, { anInt64: "-9223372036854775808" }],
        [{ anInt64: "-9.223372036854775808e18" }, { anInt64: "-9223372036854775808" }],
        [
          { aUint64: "18446744073709551615", aFixed64: 7 },
          { aUint64: "18446744073709551615", aFixed64: "7" },
        ],
      ],
      refused: [{ anInt64: "9223372036854775808" }, { aUint64: "-1" }, { anInt64: "0x1" }, '{"anInt64":1.5}'],
    },
  ],
  [
    "float, double",
    {
      taken: [
        [
          { aDouble: 1.5, aFloat: "2.5" },
          { aDouble: 1.5, aFloat: 2.5 },
        ],
        [
          { aDouble: "NaN", aFloat: "-Infinity" },
          { aDouble: "NaN", aFloat: "-Infinity" },
        ],
        [{ aDouble: "1e3" }, { aDouble: 1000 }],
      ],
      refused: [{ aFloat: 1e39 }, '{"aDouble":1e999}', { aDouble: "heavy" }, { aDouble: "" }],
    },
  ],
  [
    "Any",
    {
      taken: same({ any: anySmall }, { any: anyDuration }),
      refused: [{ any: { "@type": "type.googleapis.com/nope.Nope" } }, { any: { id: 1 } }],
    },
  ],
  [
    "Timestamp",
    {
      taken: [
        [{ time: "2026-01-02T03:04:05.006Z" }, { time: "2026-01-02T03:04:05.006Z" }],
        [{ time: "2026-01-02T03:04:05+01:00" }, { time: "2026-01-02T02:04:05Z" }],
      ],
      refused: [{ time: "2026-02-30T00:00:00Z" }, { time: "2026-01-02" }, { time: 1 }],
    },
  ],
  [
    "Duration",
    {
      taken: [
        [{ duration: "1.000340012s" }, { duration: "1.000340012s" }],
        [{ duration: "-0.5s" }, { duration: "-0.500s" }],
      ],
      refused: [{ duration: "1" }, { duration: "1m" }, { duration: "315576000001s" }],
    },
  ],
  ["Struct", { taken: same({ struct: { a: [1, { b: null }], c: "d" } }), refused: [{ struct: [] }] }],
  [
    "Wrapper types",
    {
      taken: [
        [
          { int64Value: "1", boolValue: false, bytesValue: "AQ==" },
          { int64Value: "1", boolValue: false, bytesValue: "AQ==" },
        ],
        [{ stringValue: null, doubleValue: 0 }, { doubleValue: 0 }],
      ],
      refused: [{ int32Value: { value: 1 } }, { boolValue: "true" }],
    },
  ],
  [
    "FieldMask",
    {
      taken: same({ mask: "aString,inner.aBool" }, { mask: "" }),
      refused: [{ mask: ["aString"] }, { mask: "a_string" }],
    },
  ],
  ["ListValue", { taken: same({ listValue: [1, "a", null, [true]] }), refused: [{ listValue: {} }] }],
  [
    "Value",
    { taken: same({ value: "a" }, { value: 1.5 }, { value: { a: [] } }, { value: null }), refused: [] },
  ],
  [
    "NullValue",
    {
      taken: [
        [{ chosenNull: null }, { chosenNull: null }],
        [{ values: [null] }, { values: [null] }],
      ],
      refused: [{ aNull: "x" }],
    },
  ],
];

describe("the proto3 JSON mapping, over HTTP and gRPC", () => {
  let started: LibraryGateway;
  beforeAll(async () => {
    started = await startLibraryGateway();
  });
  afterAll(() => started[Symbol.asyncDispose]());

  const repeat = (body: JsonObject | string) => started.gateway.ask("POST", "/v1/everything", { body });

  it.each(rows)("%s", async (_, { taken, refused }) => {
    for (const [asked, expected] of taken) {
      const answer = await repeat(asked);
      if (answer.status !== 200) throw new Error(`${JSON.stringify(asked)}: ${answer.text}`);
      const json = answer.json() as Record<string, JsonValue>;
      expect(withKeysOf(expected, json)).toEqual(expected);
    }
    for (const body of refused) {
      const { status, json } = await repeat(body);
      expect([body, status, json().code]).toEqual([body, 400, 3]);
    }
  });

  it("Empty", async () => {
    expect((await started.gateway.ask("PUT", "/v1/nothing", { body: {} })).text).toBe("{}");
    expect((await started.gateway.ask("PUT", "/v1/nothing", { body: { a: 1 } })).status).toBe(400);
  });

  it("fields without presence are in an answer with their defaults, others only when they are set", async () => {
    const json = (await repeat({})).json() as JsonObject;
    expect(json).toMatchObject({
      aBool: false,
      anInt64: "0",
      aColour: "COLOUR_UNSPECIFIED",
      strings: [],
      byString: {},
    });
    for (const name of ["maybeBool", "inner", "chosenString", "time", "int64Value"])
      expect(json).not.toHaveProperty(name);
  });
});

/** The part of an answer that a row speaks of; an answer holds all defaults as well. */
function withKeysOf(expected: JsonObject, json: JsonObject): JsonObject {
  return Object.fromEntries(
    Object.entries(expected).map(([key, value]) => {
      const given = json[key];
      const isPart = key === "inner" && typeof given === "object" && given !== null && !Array.isArray(given);
      return [key, isPart ? withKeysOf(value as JsonObject, given) : given];
    }) as [string, JsonValue][],
  );
}
