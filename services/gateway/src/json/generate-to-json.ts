import { ScalarType, type DescEnum, type DescField, type DescMessage } from "@bufbuild/protobuf";
import { hasCustomJsonRepresentation, isWrapperDesc } from "@bufbuild/protobuf/wkt";
import type { JsonWriter } from "./json-writer.ts";
import { hasPresence } from "./presence.ts";
import * as values from "./values-to-json.ts";
import type { WireReader } from "./wire-reader.ts";

/** Reads one message up to `end` and writes it. */
export type MessageToJson = (reader: WireReader, writer: JsonWriter, end: number) => void;

export interface GenerateOptions {
  readonly omitDefaults: boolean;
  readonly protoNames: boolean;
  /** For messages whose JSON form is not made of their fields. */
  readonly byLibrary: (desc: DescMessage) => (bytes: Uint8Array) => Uint8Array;
}

type MapField = DescField & { readonly fieldKind: "map" };

/**
 * Generates one JavaScript function for each message type that is reachable, and compiles them together.
 *
 * A function writes each field when it meets it, and so counts on fields in the order of their numbers, each once and the
 * items of a list together: the order that encoders write. It calls `unusual` for anything else.
 *
 * Why code and not a closure for each field: a switch over the tag, with calls that V8 can inline, has no call through a
 * table for each field. Names enter the code as JSON texts only.
 */
export function generateToJson(root: DescMessage, options: GenerateOptions): MessageToJson {
  const functions = new Map<DescMessage, string>();
  const code: string[] = [];
  /** What the code refers to as `data[i]`. */
  const data: unknown[] = [];

  const constant = (value: unknown): string => `data[${data.push(value) - 1}]`;

  const functionOf = (desc: DescMessage): string => {
    const known = functions.get(desc);
    if (known !== undefined) return known;
    const name = `message${functions.size}`;
    functions.set(desc, name);
    const text = isWrapperDesc(desc) ? wrapperFunction(name, desc.fields[0]) : messageFunction(name, desc);
    code.push(text);
    return name;
  };

  /** A statement that reads and writes one value. */
  const convert = (field: DescField): string => {
    if (field.message !== undefined) {
      if (field.message.typeName === "google.protobuf.Timestamp") return "values.timestamp(r, w);";
      if (hasCustomJsonRepresentation(field.message) && !isWrapperDesc(field.message)) {
        const library = constant(options.byLibrary(field.message));
        return `{ const last = r.limit(); w.raw(${library}(r.bytes.subarray(r.pos, last))); r.pos = last; }`;
      }
      return `{ const last = r.limit(); ${functionOf(field.message)}(r, w, last); }`;
    }
    if (field.enum !== undefined) return `${constant(enumToJson(field.enum))}(r.uint32() | 0, w);`;
    return `values.${scalars[field.scalar as ScalarType].convert}(r, w);`;
  };

  const defaultText = (field: DescField): string => {
    if (field.fieldKind === "list") return "[]";
    if (field.fieldKind === "map") return "{}";
    return zeroText(field);
  };

  const keyText = (field: DescField): string =>
    `,${JSON.stringify(options.protoNames ? field.name : field.jsonName)}:`;

  const messageFunction = (name: string, desc: DescMessage): string => {
    const fields = desc.fields.toSorted((a, b) => a.number - b.number);
    const defaults = constant(
      fields.map((field) =>
        Buffer.from(options.omitDefaults || hasPresence(field) ? "" : keyText(field) + defaultText(field)),
      ),
    );
    return `
function ${name}(r, w, end) {
  const start = w.pos;
  let next = 0;
  ${desc.oneofs.map((_, i) => `let oneof${i} = false;`).join(" ")}
  while (r.pos < end) {
    const tag = r.uint32();
    switch (tag) {
${fields.map((field, index) => fieldCases(desc, field, index, defaults)).join("\n")}
      default: if (!r.skip(tag)) values.unusual();
    }
  }
  if (r.pos !== end) values.malformed();
  for (; next < ${fields.length}; next++) w.raw(${defaults}[next]);
  if (w.pos === start) w.byte(0x7b);
  else w.bytes[start] = 0x7b;
  w.byte(0x7d);
}`;
  };

  const fieldCases = (desc: DescMessage, field: DescField, index: number, defaults: string): string => {
    const key = constant(Buffer.from(keyText(field)));
    const begin = `if (next > ${index}) values.unusual(); for (; next < ${index}; next++) w.raw(${defaults}[next]); next = ${index + 1};`;
    const label = (number: number): string => `      case ${number}: ${begin}`;
    if (field.fieldKind === "map") {
      return `${label(tagWith(field, 2))} w.raw(${key}); ${mapFunction(field)}(r, w, end); break;`;
    }
    if (field.fieldKind === "list") {
      const tag = tagWith(field, wireTypeOf(field));
      const items = `${label(tag)} w.raw(${key}); w.byte(0x5b); ${convert(field)} while (r.follows(${tag}, end)) { w.byte(0x2c); ${convert(field)} } w.byte(0x5d); break;`;
      if (wireTypeOf(field) === 2) return items;
      return `${items}
${label(tagWith(field, 2))} { const stop = r.limit(); if (r.pos === stop) { w.raw(${defaults}[${index}]); break; } w.raw(${key}); w.byte(0x5b); while (r.pos < stop) { ${convert(field)} w.byte(0x2c); } if (r.pos !== stop) values.malformed(); w.bytes[w.pos - 1] = 0x5d; break; }`;
    }
    const oneof = field.oneof === undefined ? "" : `oneof${desc.oneofs.indexOf(field.oneof)}`;
    const once = oneof === "" ? "" : `if (${oneof}) values.unusual(); ${oneof} = true;`;
    // A default that was written all the same must not show when defaults are omitted.
    const undo =
      options.omitDefaults && !hasPresence(field)
        ? `if (w.bytes.toString("latin1", before + ${keyText(field).length}, w.pos) === ${JSON.stringify(zeroText(field))}) w.pos = before;`
        : "";
    return `${label(tagWith(field, wireTypeOf(field)))} { ${once} ${undo === "" ? "" : "const before = w.pos;"} w.raw(${key}); ${convert(field)} ${undo} break; }`;
  };

  const wrapperFunction = (name: string, field: DescField): string => `
function ${name}(r, w, end) {
  if (r.pos === end) return w.ascii(${JSON.stringify(zeroText(field))});
  if (r.uint32() !== ${tagWith(field, wireTypeOf(field))}) values.unusual();
  ${convert(field)}
  if (r.pos !== end) values.unusual();
}`;

  const mapFunction = (field: MapField): string => {
    const key = scalars[field.mapKey];
    const name = `map${data.push(undefined)}`;
    const writeKey = key.zero.startsWith('"')
      ? `values.${key.convert}(r, w);`
      : `w.byte(0x22); values.${key.convert}(r, w); w.byte(0x22);`;
    const zeroKey = key.zero.startsWith('"') ? key.zero : `"${key.zero}"`;
    // A value that is absent, an entry that says its value first, or a key that comes again: all legal, none usual.
    code.push(`
function ${name}(r, w, end) {
  const keys = new Set();
  w.byte(0x7b);
  do {
    if (keys.size > 0) w.byte(0x2c);
    const last = r.limit();
    const start = w.pos;
    if (r.follows(${(1 << 3) | key.wireType}, last)) { ${writeKey} }
    else w.ascii(${JSON.stringify(zeroKey)});
    const key = w.bytes.toString("latin1", start, w.pos);
    if (keys.has(key)) values.unusual();
    keys.add(key);
    w.byte(0x3a);
    if (r.follows(${(2 << 3) | wireTypeOf(field)}, last)) { ${convert(field)} }
    else ${field.message === undefined ? `w.ascii(${JSON.stringify(zeroText(field))});` : "values.unusual();"}
    if (r.pos !== last) values.unusual();
  } while (r.follows(${tagWith(field, 2)}, end));
  w.byte(0x7d);
}`);
    return name;
  };

  const top = functionOf(root);
  const source = `"use strict";${code.join("\n")}\nreturn ${top};`;
  // oxlint-disable-next-line no-new-func, typescript/no-implied-eval
  const make = new Function("values", "data", source) as (v: typeof values, d: unknown[]) => MessageToJson;
  return make(values, data);
}

interface ScalarCode {
  readonly wireType: number;
  /** Its name in values-to-json.ts. */
  readonly convert: keyof typeof values;
  /** JSON of the default. */
  readonly zero: string;
}

const varint = 0;
const eightBytes = 1;
const delimited = 2;
const fourBytes = 5;

const scalars: Readonly<Record<ScalarType, ScalarCode>> = {
  [ScalarType.DOUBLE]: { wireType: eightBytes, convert: "double", zero: "0" },
  [ScalarType.FLOAT]: { wireType: fourBytes, convert: "float", zero: "0" },
  [ScalarType.INT64]: { wireType: varint, convert: "int64", zero: '"0"' },
  [ScalarType.UINT64]: { wireType: varint, convert: "uint64", zero: '"0"' },
  [ScalarType.INT32]: { wireType: varint, convert: "int32", zero: "0" },
  [ScalarType.FIXED64]: { wireType: eightBytes, convert: "fixed64", zero: '"0"' },
  [ScalarType.FIXED32]: { wireType: fourBytes, convert: "fixed32", zero: "0" },
  [ScalarType.BOOL]: { wireType: varint, convert: "bool", zero: "false" },
  [ScalarType.STRING]: { wireType: delimited, convert: "string", zero: '""' },
  [ScalarType.BYTES]: { wireType: delimited, convert: "bytes", zero: '""' },
  [ScalarType.UINT32]: { wireType: varint, convert: "uint32", zero: "0" },
  [ScalarType.SFIXED32]: { wireType: fourBytes, convert: "sfixed32", zero: "0" },
  [ScalarType.SFIXED64]: { wireType: eightBytes, convert: "sfixed64", zero: '"0"' },
  [ScalarType.SINT32]: { wireType: varint, convert: "sint32", zero: "0" },
  [ScalarType.SINT64]: { wireType: varint, convert: "sint64", zero: '"0"' },
};

function zeroText(field: DescField): string {
  if (field.enum === undefined) return field.scalar === undefined ? "" : scalars[field.scalar].zero;
  return enumTexts(field.enum).get(0) ?? "0";
}

function wireTypeOf(field: DescField): number {
  if (field.message !== undefined) return delimited;
  return field.scalar === undefined ? varint : scalars[field.scalar].wireType;
}

function tagWith({ number }: DescField, wireType: number): number {
  return ((number << 3) | wireType) >>> 0;
}

function enumTexts(desc: DescEnum): ReadonlyMap<number, string> {
  if (desc.typeName === "google.protobuf.NullValue") return new Map([[0, "null"]]);
  // Of two names for one number, the first is the one that is written.
  return new Map(desc.values.toReversed().map(({ number, name }) => [number, JSON.stringify(name)]));
}

function enumToJson(desc: DescEnum): (value: number, writer: JsonWriter) => void {
  const texts = enumTexts(desc);
  return (value, writer) => writer.ascii(texts.get(value) ?? String(value));
}
