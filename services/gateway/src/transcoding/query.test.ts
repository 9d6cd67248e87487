import {
  create,
  createRegistry,
  equals,
  fromBinary,
  fromJson,
  toJson,
  type DescMessage,
  type JsonObject,
} from "@bufbuild/protobuf";
import { file_google_protobuf_descriptor, FieldDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { applyQuery } from "./query.ts";
import { compileRequestReader } from "./request-reader.ts";
import { parseTemplate } from "../routing/template.ts";

/** FieldDescriptorProto has strings, enums, integers, booleans and messages within, as a request may. */
const schema: DescMessage = FieldDescriptorProtoSchema;
const registry = createRegistry(file_google_protobuf_descriptor);

const text = fc.string({ unit: "grapheme" }).filter((value) => value.isWellFormed());
const message = fc.record(
  {
    name: text,
    number: fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
    label: fc.constantFrom("LABEL_OPTIONAL", "LABEL_REPEATED"),
    defaultValue: text,
    proto3Optional: fc.boolean(),
    options: fc.record(
      {
        deprecated: fc.boolean(),
        jstype: fc.constantFrom("JS_STRING", "JS_NUMBER"),
        targets: fc.array(fc.constantFrom("TARGET_TYPE_FILE", "TARGET_TYPE_FIELD"), { minLength: 1 }),
      },
      { requiredKeys: ["deprecated"] },
    ),
  },
  { requiredKeys: [] },
);

/** The query that a client makes of a message, by the rules of google/api/http.proto. */
function expand(json: object, prefix = ""): [string, string][] {
  return Object.entries(json).flatMap(([key, value]: [string, unknown]): [string, string][] => {
    if (Array.isArray(value)) return value.map((item) => [`${prefix}${key}`, String(item)]);
    if (typeof value === "object" && value !== null) return expand(value, `${prefix}${key}.`);
    return [[`${prefix}${key}`, String(value)]];
  });
}

describe("applyQuery", () => {
  it("reads back any message that is expanded into a query", () => {
    fc.assert(
      fc.property(message, fc.boolean(), (json, isForm) => {
        const expected = fromJson(schema, json as JsonObject);
        const pairs = expand(json);
        const query = isForm
          ? new URLSearchParams(pairs).toString()
          : pairs
              .map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`)
              .join("&");
        const actual = create(schema);
        expect(applyQuery(schema, actual, query, () => false)).toEqual([]);
        expect(equals(schema, actual, expected)).toBe(true);
      }),
      { numRuns: 1_000 },
    );
  });

  it("never throws, and never sets a field without saying so", () => {
    const names = fc.constantFrom(
      "name",
      "number",
      "options",
      "options.deprecated",
      "options.nope",
      "label",
      "x",
      "",
      "a.b.c",
      "__proto__",
    );
    const pair = fc.tuple(names, fc.oneof(fc.string({ unit: "binary" }), fc.string()));
    fc.assert(
      fc.property(fc.array(pair, { maxLength: 6 }), (pairs) => {
        const query = pairs.map(([name, value]) => `${name}=${value}`).join("&");
        const violations = applyQuery(schema, create(schema), query, () => false);
        for (const { field, description } of violations) {
          expect(field.length).toBeLessThanOrEqual(200);
          expect(description).toMatch(/^[a-z]/);
        }
      }),
      { numRuns: 2_000 },
    );
  });
});

describe("a body", () => {
  const read = compileRequestReader(schema, {
    template: parseTemplate("/x"),
    body: "*",
    registry,
    allowUnknown: false,
    fillsMask: false,
  });
  const path = { raw: [], decoded: [] };

  it("reads back any message that is written as JSON", () => {
    fc.assert(
      fc.property(message, (json) => {
        const expected = fromJson(schema, json as JsonObject);
        const body = Buffer.from(JSON.stringify(toJson(schema, expected)));
        expect(
          equals(schema, fromBinary(schema, read({ path, query: "", body, contentType: "" })), expected),
        ).toBe(true);
      }),
      { numRuns: 500 },
    );
  });
});
