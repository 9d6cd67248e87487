import {
  fromJson,
  toJson,
  type DescField,
  type DescMessage,
  type FileRegistry,
  type JsonObject,
  type JsonValue,
} from "@bufbuild/protobuf";
import { hasCustomJsonRepresentation } from "@bufbuild/protobuf/wkt";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { anyJson } from "./any-json.ts";
import type { TestGateway } from "./gateway.ts";
import { startLibraryGateway, type LibraryGateway } from "./library-gateway.ts";

describe("a message with every kind of field", () => {
  let gateway: TestGateway;
  let registry: FileRegistry;
  let desc: DescMessage;
  let started: LibraryGateway;
  beforeAll(async () => {
    started = await startLibraryGateway("", { env: { MAX_BODY_BYTES: "4194304" } });
    ({ gateway, registry } = started);
    desc = registry.getMessage("everything.v1.Everything") as DescMessage;
  });
  afterAll(() => started[Symbol.asyncDispose]());

  /** What protobuf-es makes of the JSON of a message, with its defaults. */
  const expected = (json: JsonValue): JsonValue =>
    toJson(desc, fromJson(desc, json, { registry }), { registry, alwaysEmitImplicit: true });
  const plain = (json: unknown): unknown => JSON.parse(JSON.stringify(json));

  it("comes back from the service as protobuf-es writes it, whatever it holds", async () => {
    await fc.assert(
      fc.asyncProperty(anyJson(desc), async (json) => {
        const { status, text } = await gateway.ask("POST", "/v1/everything", { body: json });
        expect([status, plain(JSON.parse(text))]).toEqual([200, plain(expected(json))]);
      }),
      { numRuns: 30 },
    );
  });

  it("is read from a query as from a body", async () => {
    await fc.assert(
      fc.asyncProperty(anyJson(desc), async (json) => {
        const asked = inQuery(desc, json as JsonObject);
        const query = expand(desc, asked)
          .map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`)
          .join("&");
        if (query.length > 8_000) return;
        const { status, text } = await gateway.ask("GET", `/v1/everything?${query}`);
        expect([status, plain(JSON.parse(text))]).toEqual([200, plain(expected(asked))]);
      }),
      { numRuns: 30 },
    );
  });

  it("may be one that has no fields", async () => {
    expect((await gateway.ask("PUT", "/v1/nothing", { body: {} })).text).toBe("{}");
    expect((await gateway.ask("PUT", "/v1/nothing")).text).toBe("{}");
    expect((await gateway.ask("PUT", "/v1/nothing", { body: { a: 1 } })).status).toBe(400);
  });
});

const texts = ["Timestamp", "Duration", "FieldMask"].map((name) => `google.protobuf.${name}`);

/** By google/api/http.proto: primitives, lists of them, and what stands for one. Messages within are given field by field. */
function isText({ fieldKind, message }: DescField): boolean {
  if (message === undefined) return fieldKind !== "map";
  return (
    fieldKind === "message" &&
    (texts.includes(message.typeName) || message.typeName.endsWith("Value")) &&
    !["google.protobuf.Value", "google.protobuf.ListValue"].includes(message.typeName)
  );
}

/** The part of a message that a query can hold. */
function inQuery(desc: DescMessage, json: JsonObject): JsonObject {
  return Object.fromEntries(
    desc.fields.flatMap((field): [string, JsonValue][] => {
      const value = json[field.jsonName];
      if (value === undefined || value === null) return [];
      if (isText(field)) return Array.isArray(value) && value.length === 0 ? [] : [[field.jsonName, value]];
      if (field.fieldKind !== "message" || hasCustomJsonRepresentation(field.message)) return [];
      const inner = inQuery(field.message, value as JsonObject);
      return Object.keys(inner).length === 0 ? [] : [[field.jsonName, inner]];
    }),
  );
}

function expand(desc: DescMessage, json: JsonObject, prefix = ""): [string, string][] {
  return desc.fields.flatMap((field): [string, string][] => {
    const value = json[field.jsonName];
    if (value === undefined) return [];
    const name = `${prefix}${field.jsonName}`;
    if (!isText(field)) return expand(field.message as DescMessage, value as JsonObject, `${name}.`);
    return [value].flat().map((item) => [name, String(item as string | number | boolean)]);
  });
}
