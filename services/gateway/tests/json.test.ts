import {
  create,
  createFileRegistry,
  fromBinary,
  fromJson,
  toBinary,
  toJson,
  type DescField,
  type DescMessage,
  type FileRegistry,
  type JsonValue,
} from "@bufbuild/protobuf";
import { ScalarType } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import fc from "fast-check";
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { compileFromJson, type FromJson } from "../src/json/compile-from-json.ts";
import { compileToJson } from "../src/json/compile-to-json.ts";
import { createWireWriter } from "../src/json/wire-writer.ts";
import { buildDescriptors } from "./descriptors.ts";

const runs = 50;

describe("JSON that was compiled", () => {
  let registry: FileRegistry;
  let desc: DescMessage;
  let remove: () => void;
  beforeAll(() => {
    const set = buildDescriptors();
    remove = set.remove;
    registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, readFileSync(set.path)));
    desc = registry.getMessage("everything.v1.Everything") as DescMessage;
  });
  afterAll(() => remove());

  const read = (fromText: FromJson, json: JsonValue) => {
    const writer = createWireWriter();
    const violations = fromText(json, writer);
    return { violations, bytes: new Uint8Array(writer.finish()) };
  };

  describe.each([
    { omitDefaults: false, protoNames: false },
    { omitDefaults: true, protoNames: false },
    { omitDefaults: false, protoNames: true },
  ])("with %j", (options) => {
    it("is what protobuf-es writes, for any message", () => {
      const convert = compileToJson(desc, { registry, ...options });
      fc.assert(
        fc.property(anyJson(desc), (json) => {
          const message = fromJson(desc, json, { registry });
          const expected = toJson(desc, message, {
            registry,
            alwaysEmitImplicit: !options.omitDefaults,
            useProtoFieldName: options.protoNames,
          });
          expect(plain(convert(toBinary(desc, message)))).toEqual(plain(JSON.stringify(expected)));
        }),
        { numRuns: runs },
      );
    });
  });

  it("becomes the message that protobuf-es reads, for any message, by either name of its fields", () => {
    const convert = compileFromJson(desc, { registry });
    fc.assert(
      fc.property(anyJson(desc), fc.boolean(), (json, protoNames) => {
        const message = fromJson(desc, json, { registry });
        const text = toJson(desc, message, { registry, useProtoFieldName: protoNames });
        const { violations, bytes } = read(convert, JSON.parse(JSON.stringify(text)));
        expect(violations).toEqual([]);
        expect(fromBinary(desc, bytes)).toEqual(
          fromBinary(desc, toBinary(desc, fromJson(desc, JSON.parse(JSON.stringify(text)), { registry }))),
        );
      }),
      { numRuns: runs },
    );
  });

  it("refuses what protobuf-es refuses, and never throws", () => {
    const convert = compileFromJson(desc, { registry });
    const names = desc.fields.map(({ jsonName }) => jsonName);
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom(...names, "nope"), fc.jsonValue({ maxDepth: 3 })), (json) => {
        const { violations, bytes } = read(convert, json as JsonValue);
        let isFine = true;
        try {
          fromJson(desc, json as JsonValue, { registry });
        } catch {
          isFine = false;
        }
        expect(isFine || violations.length > 0).toBe(true);
        return violations.length > 0 || fromBinary(desc, bytes) !== undefined;
      }),
      { numRuns: 400 },
    );
  });

  it("answers as the library does to bytes that no encoder would write", () => {
    const convert = compileToJson(desc, { registry });
    const outcome = (work: () => unknown): unknown => {
      try {
        return work();
      } catch {
        return "refused";
      }
    };
    fc.assert(
      fc.property(fc.array(anyJson(desc), { minLength: 2, maxLength: 3 }), (pieces) => {
        const bytes = Buffer.concat(pieces.map((json) => toBinary(desc, fromJson(desc, json, { registry }))));
        const expected = outcome(() =>
          plain(
            JSON.stringify(toJson(desc, fromBinary(desc, bytes), { registry, alwaysEmitImplicit: true })),
          ),
        );
        expect(outcome(() => plain(convert(bytes)))).toEqual(expected);
      }),
      { numRuns: runs },
    );
    fc.assert(
      fc.property(anyJson(desc), fc.nat(), fc.nat(255), (json, at, byte) => {
        const bytes = toBinary(desc, fromJson(desc, json, { registry }));
        if (bytes.length === 0) return;
        bytes[at % bytes.length] = byte;
        const cut = bytes.subarray(0, at % bytes.length);
        for (const broken of [bytes, cut]) {
          const text = outcome(() => convert(broken).toString("utf8"));
          if (text !== "refused") JSON.parse(text as string);
        }
      }),
      { numRuns: runs },
    );
  });

  it("refuses strings that are not UTF-8, which would be no JSON", () => {
    const convert = compileToJson(desc, { registry, omitDefaults: true });
    const field = desc.fields.find(({ name }) => name === "a_string") as DescField;
    const bytes = Buffer.from([(field.number << 3) | 2, 2, 0xc3, 0x28]);
    expect(() => convert(bytes)).toThrow(/utf-8/);
  });

  it.each<[JsonValue, string]>([
    [{ anInt32: 2147483648 }, "anInt32"],
    [{ byInt32: { x: "1" } }, 'byInt32["x"]'],
    [{ byBool: { yes: {} } }, 'byBool["yes"]'],
    [{ byBool: { true: { nope: 1 } } }, 'byBool["true"].nope'],
    [{ int64Value: 2 ** 53 }, "int64Value"],
    [{ stringValues: ["a", 1] }, "stringValues[1]"],
    [{ inner: { inners: [{}, { colours: ["COLOUR_GREEN"] }] } }, "inner.inners[1].colours[0]"],
    [{ chosenString: "a", chosenNull: null }, "chosenNull"],
    [{ any: { "@type": "x/everything.v1.Small", id: "x" } }, "any.id"],
    [{ any: { "@type": "x/google.protobuf.Duration" } }, "any"],
    [{ time: "2026-02-30T00:00:00Z" }, "time"],
    [{ duration: "1" }, "duration"],
  ])("names the field of a fault in %j", (json, field) => {
    const { violations } = read(compileFromJson(desc, { registry }), json);
    expect(violations.map((violation) => violation.field)).toEqual([field]);
  });

  it("takes what may be there beside the contract when it is told to", () => {
    const convert = compileFromJson(desc, { registry, allowUnknown: true });
    const json = {
      nope: 1,
      aString: "a",
      aColour: "COLOUR_GREEN",
      colours: ["COLOUR_RED", "NEW"],
      bySint32: { 1: "NEW" },
    };
    const { violations, bytes } = read(convert, json);
    expect(violations).toEqual([]);
    expect(toJson(desc, fromBinary(desc, bytes))).toEqual({ aString: "a", colours: ["COLOUR_RED"] });
  });

  it("knows an empty message", () => {
    expect(compileToJson(desc, { registry, omitDefaults: true })(new Uint8Array()).toString()).toBe("{}");
    expect(toBinary(desc, create(desc)).length).toBe(0);
  });
});

/** A text as a value; JSON.stringify knows no -0. */
function plain(text: Buffer | string): unknown {
  return JSON.parse(JSON.stringify(JSON.parse(text.toString())));
}

/** Any JSON that is a message of the type. */
function anyJson(desc: DescMessage, depth = 1): fc.Arbitrary<JsonValue> {
  const choices = new Map<unknown, DescField[]>();
  const shape: Record<string, fc.Arbitrary<unknown>> = {};
  for (const field of desc.fields) {
    if (field.oneof !== undefined) {
      choices.set(field.oneof, [...(choices.get(field.oneof) ?? []), field]);
      continue;
    }
    const value = anyField(field, depth);
    if (value !== undefined) shape[field.jsonName] = value;
  }
  const oneofs = [...choices.values()].map((fields) =>
    fc
      .constantFrom(...fields)
      .chain((field) =>
        (anyField(field, depth) ?? fc.constant(undefined)).map((value) =>
          value === undefined ? {} : { [field.jsonName]: value },
        ),
      ),
  );
  return fc
    .tuple(fc.record(shape, { requiredKeys: [] }), ...oneofs.map((one) => fc.option(one, { nil: {} })))
    .map((parts) => Object.assign({}, ...parts) as JsonValue);
}

function anyField(field: DescField, depth: number): fc.Arbitrary<unknown> | undefined {
  const value = anyValue(field, depth);
  if (value === undefined) return undefined;
  if (field.fieldKind === "list") return fc.array(value, { maxLength: 3 });
  if (field.fieldKind === "map") {
    const key = anyScalar(field.mapKey).map(String);
    return fc.dictionary(key, value, { maxKeys: 3 });
  }
  return value;
}

function anyValue(field: DescField, depth: number): fc.Arbitrary<unknown> | undefined {
  if (field.enum?.typeName === "google.protobuf.NullValue") return fc.constant(null);
  if (field.enum !== undefined) {
    return fc.constantFrom<unknown>(...field.enum.values.map(({ name }) => name), 77, -1);
  }
  if (field.scalar !== undefined) return anyScalar(field.scalar);
  const { message } = field;
  if (message === undefined) return undefined;
  switch (message.typeName) {
    case "google.protobuf.Timestamp":
      return fc
        .tuple(
          fc.date({ min: new Date("0001-01-01"), max: new Date("9999-12-31"), noInvalidDate: true }),
          fc.constantFrom("", ".5", ".123456", ".000000001"),
        )
        .map(([date, fraction]) => `${date.toISOString().slice(0, 19)}${fraction}Z`);
    case "google.protobuf.Duration":
      return fc.constantFrom("0s", "1.5s", "-3.000000001s", "315576000000s");
    case "google.protobuf.FieldMask":
      return fc.constantFrom("", "a", "fooBar,baz.quxQuux");
    case "google.protobuf.Struct":
      return fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 2 }), { maxKeys: 3 });
    case "google.protobuf.Value":
      return fc.jsonValue({ maxDepth: 2 });
    case "google.protobuf.ListValue":
      return fc.array(fc.jsonValue({ maxDepth: 2 }), { maxLength: 3 });
    case "google.protobuf.Any":
      return fc.constantFrom(
        {},
        { "@type": "type.googleapis.com/everything.v1.Small", id: 7 },
        { "@type": "type.googleapis.com/google.protobuf.Duration", value: "2s" },
        { "@type": "type.googleapis.com/google.protobuf.StringValue", value: "x" },
      );
    default:
  }
  if (message.typeName.startsWith("google.protobuf."))
    return anyScalar(message.fields[0]?.scalar as ScalarType);
  return depth === 0 ? undefined : anyJson(message, depth - 1);
}

function anyScalar(type: ScalarType): fc.Arbitrary<unknown> {
  const bigInt = (min: bigint, max: bigint) =>
    fc
      .oneof(fc.bigInt({ min, max }), fc.constantFrom(min, max, 0n, 1n, 10n ** 9n, 10n ** 18n, 2n ** 53n))
      .map(String);
  switch (type) {
    case ScalarType.STRING:
      return fc.oneof(
        fc.string({ unit: "grapheme" }),
        fc.constantFrom('\u0000"\\\n\u001f\u2028😀', "x".repeat(200)),
      );
    case ScalarType.BOOL:
      return fc.boolean();
    case ScalarType.BYTES:
      return fc.uint8Array({ maxLength: 20 }).map((bytes) => Buffer.from(bytes).toString("base64"));
    case ScalarType.DOUBLE:
      return fc.oneof(
        fc.double({ noNaN: true, noDefaultInfinity: true }),
        fc.constantFrom("NaN", "Infinity", "-Infinity", 0, 1e300),
      );
    case ScalarType.FLOAT:
      return fc.oneof(
        fc.float({ noNaN: true, noDefaultInfinity: true }),
        fc.constantFrom("NaN", "-Infinity", 0),
      );
    case ScalarType.INT32:
    case ScalarType.SINT32:
    case ScalarType.SFIXED32:
      return fc.oneof(fc.integer(), fc.constantFrom(0, -1, 2 ** 31 - 1, -(2 ** 31)));
    case ScalarType.UINT32:
    case ScalarType.FIXED32:
      return fc.oneof(fc.nat(), fc.constantFrom(0, 999_999_999, 10 ** 9, 2 ** 32 - 1));
    case ScalarType.UINT64:
    case ScalarType.FIXED64:
      return bigInt(0n, 2n ** 64n - 1n);
    default:
      return bigInt(-(2n ** 63n), 2n ** 63n - 1n);
  }
}
