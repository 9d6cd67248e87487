import { ScalarType, type DescEnum, type DescField, type DescMessage } from "@bufbuild/protobuf";
import { isWrapperDesc } from "@bufbuild/protobuf/wkt";
import type { Comments } from "./comments.ts";

/** A JSON Schema (draft 2020-12), as OpenAPI 3.1 has it. */
export interface Schema {
  readonly [keyword: string]: unknown;
}

export interface Schemas {
  /** The schema of a message: a reference, but for types with a JSON form of their own. */
  of(message: DescMessage): Schema;
  ofField(field: DescField): Schema;
  /** All that was referred to, by name. */
  readonly components: Readonly<Record<string, Schema>>;
}

/** Describes messages by what the proto3 JSON mapping makes of them. */
export function createSchemas(comments: Comments, names: { readonly protoNames: boolean }): Schemas {
  const components: Record<string, Schema> = {};

  const of = (message: DescMessage): Schema => {
    if (isWrapperDesc(message))
      return { ...scalarSchema(message.fields[0].scalar), type: ["null", typeOf(message.fields[0].scalar)] };
    const known = wellKnown[message.typeName];
    if (known !== undefined) return known;
    const name = message.typeName + (names.protoNames ? ".original" : "");
    if (components[name] === undefined) {
      // Before its fields, which may lead back to it.
      components[name] = {};
      components[name] = objectSchema(message);
    }
    return { $ref: `#/components/schemas/${name}` };
  };

  const objectSchema = (message: DescMessage): Schema => ({
    type: "object",
    ...described(comments(message)),
    properties: Object.fromEntries(
      message.fields.map((field) => [names.protoNames ? field.name : field.jsonName, ofField(field)]),
    ),
  });

  const ofField = (field: DescField): Schema => {
    const oneof = field.oneof === undefined ? "" : `At most one of \`${field.oneof.name}\` is set.`;
    const text = [comments(field), oneof].filter((part) => part !== "").join("\n\n");
    return { ...shapeOf(field), ...described(text) };
  };

  const shapeOf = (field: DescField): Schema => {
    if (field.fieldKind === "list") return { type: "array", items: valueOf(field) };
    if (field.fieldKind === "map") return { type: "object", additionalProperties: valueOf(field) };
    return valueOf(field);
  };

  const valueOf = (field: DescField): Schema => {
    if (field.message !== undefined) return of(field.message);
    if (field.enum !== undefined) return enumSchema(field.enum);
    return scalarSchema(field.scalar ?? ScalarType.STRING);
  };

  return { of, ofField, components };
}

function described(text: string): Schema {
  return text === "" ? {} : { description: text };
}

function enumSchema(desc: DescEnum): Schema {
  if (desc.typeName === "google.protobuf.NullValue") return { type: "null" };
  return { type: "string", enum: desc.values.map(({ name }) => name) };
}

function typeOf(type: ScalarType): string {
  return String(scalarSchema(type)["type"]);
}

export function scalarSchema(type: ScalarType): Schema {
  switch (type) {
    case ScalarType.STRING:
      return { type: "string" };
    case ScalarType.BOOL:
      return { type: "boolean" };
    case ScalarType.BYTES:
      return { type: "string", contentEncoding: "base64" };
    case ScalarType.DOUBLE:
      return { type: "number", format: "double" };
    case ScalarType.FLOAT:
      return { type: "number", format: "float" };
    case ScalarType.INT32:
    case ScalarType.SINT32:
    case ScalarType.SFIXED32:
      return { type: "integer", format: "int32" };
    case ScalarType.UINT32:
    case ScalarType.FIXED32:
      return { type: "integer", minimum: 0, maximum: 2 ** 32 - 1 };
    case ScalarType.UINT64:
    case ScalarType.FIXED64:
      return { type: "string", format: "uint64", pattern: "^[0-9]{1,20}$" };
    default:
      return { type: "string", format: "int64", pattern: "^-?[0-9]{1,19}$" };
  }
}

const wellKnown: Readonly<Record<string, Schema>> = {
  "google.protobuf.Timestamp": { type: "string", format: "date-time" },
  "google.protobuf.Duration": { type: "string", pattern: "^-?[0-9]+(\\.[0-9]{1,9})?s$" },
  "google.protobuf.FieldMask": {
    type: "string",
    description: "Names of fields in lowerCamelCase, with commas between.",
  },
  "google.protobuf.Struct": { type: "object", additionalProperties: true },
  "google.protobuf.Value": {},
  "google.protobuf.ListValue": { type: "array", items: {} },
  "google.protobuf.Any": {
    type: "object",
    properties: { "@type": { type: "string" } },
    additionalProperties: true,
  },
};

/** google.rpc.Status, as every error is. */
export const statusSchema: Schema = {
  type: "object",
  description: "google.rpc.Status: why a request failed.",
  required: ["code", "message", "details"],
  properties: {
    code: { type: "integer", description: "Of google.rpc.Code." },
    message: { type: "string" },
    details: {
      type: "array",
      items: {
        type: "object",
        properties: { "@type": { type: "string" } },
        required: ["@type"],
        additionalProperties: true,
      },
    },
  },
};
