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
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import fc from "fast-check";
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { compileFromJson, type FromJson } from "../src/json/compile-from-json.ts";
import { compileToJson } from "../src/json/compile-to-json.ts";
import { createWireWriter } from "../src/json/wire-writer.ts";
import { anyJson } from "./any-json.ts";
import { buildDescriptors } from "./descriptors.ts";

const runs = 30;

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
