import {
  fromJson,
  ScalarType,
  toBinary,
  type DescField,
  type DescMessage,
  type JsonObject,
  type JsonValue,
  type Registry,
} from "@bufbuild/protobuf";
import { hasCustomJsonRepresentation, isWrapperDesc } from "@bufbuild/protobuf/wkt";
import type { Violation } from "../errors/violation.ts";
import { fieldsByName } from "../transcoding/field-path.ts";
import { enumNumber, enumRule } from "../transcoding/scalar-text.ts";
import { hasPresence } from "./presence.ts";
import { parseTimestamp } from "./timestamp-from-json.ts";
import { Fault, scalarReader, type ScalarRead } from "./scalar-from-json.ts";
import { isDefault, scalarWireType, writeScalar } from "./scalar-to-wire.ts";
import type { WireWriter } from "./wire-writer.ts";

export interface FromJsonOptions {
  /** For what is inside of a google.protobuf.Any. */
  readonly registry: Registry;
  /** Passes over fields and enum names that the contract does not have. Default: they are faults. */
  readonly allowUnknown?: boolean;
}

/**
 * Writes a message's binary form from its JSON, as parseJson gave it. Gives what is wrong with the JSON, every fault by
 * the path of its field; when there is one, what was written is good for nothing.
 */
export type FromJson = (json: JsonValue, writer: WireWriter) => readonly Violation[];

const minus = 0x2d;

/** Faults told at once; more would only make the answer long. */
const maxViolations = 16;

/**
 * Compiles the way from a message's JSON to its binary form by the proto3 JSON mapping.
 *
 * Besides its speed, what protobuf-es does not do: it stops at the first fault, names fields without their path, takes
 * integers that JSON.parse has rounded, and "0x10" for 16. The google.protobuf types that are no wrappers are few and
 * small, and left to it.
 */
export function compileFromJson(desc: DescMessage, options: FromJsonOptions): FromJson {
  const compiler: Compiler = { ...options, messages: new Map() };
  const write = messageWriter(desc, compiler);
  return (json, writer) => {
    const visit: Visit = { path: [], violations: [] };
    write(json, writer, visit);
    return visit.violations;
  };
}

interface Compiler extends FromJsonOptions {
  readonly messages: Map<DescMessage, Write>;
}

interface Visit {
  /** Names and places in lists, from the top down. */
  readonly path: (string | number)[];
  readonly violations: Violation[];
}

/** Writes a value without tag and length, or reports why not. */
type Write = (json: JsonValue, writer: WireWriter, visit: Visit) => void;

function report({ path, violations }: Visit, description: string): void {
  if (violations.length >= maxViolations) return;
  let field = "";
  for (const part of path) {
    if (typeof part === "number") field += `[${part}]`;
    else field += field === "" || part.startsWith("[") ? part : `.${part}`;
  }
  violations.push({ field: field === "" ? "body" : field, description });
}

function messageWriter(desc: DescMessage, compiler: Compiler): Write {
  const known = compiler.messages.get(desc);
  if (known !== undefined) return known;
  if (isWrapperDesc(desc)) {
    const write = singularWriter(desc.fields[0], compiler, true);
    compiler.messages.set(desc, write);
    return write;
  }
  const fields = new Map<string, FieldWriter>();
  const write: Write =
    desc.typeName === "google.protobuf.Any"
      ? anyWriter(desc, compiler)
      : desc.typeName === "google.protobuf.Timestamp"
        ? writeTimestamp
        : hasCustomJsonRepresentation(desc)
          ? wellKnownWriter(desc, compiler.registry)
          : fieldsWriter(fields, compiler.allowUnknown === true);
  // Before its fields, since they may lead back to it.
  compiler.messages.set(desc, write);
  const writers = new Map(desc.fields.map((field) => [field, fieldWriter(field, compiler)]));
  for (const [name, field] of fieldsByName(desc)) {
    const writer = writers.get(field);
    if (writer !== undefined) fields.set(name, writer);
  }
  return write;
}

interface FieldWriter {
  readonly name: string;
  /** Whether its name in the proto is another. */
  readonly hasTwoNames: boolean;
  readonly takesNull: boolean;
  /** Members of one oneof have one of these in common. */
  readonly oneof: { readonly name: string } | undefined;
  /** With tag. */
  readonly write: Write;
}

function fieldsWriter(fields: ReadonlyMap<string, FieldWriter>, allowUnknown: boolean): Write {
  return (json, writer, visit) => {
    if (!isObject(json)) return report(visit, "must be an object");
    const seen: FieldWriter[] = [];
    // What JSON.parse makes inherits nothing that is enumerable.
    for (const key in json) {
      const field = fields.get(key);
      if (field === undefined) {
        if (!allowUnknown) reportAt(visit, key.slice(0, 100), "is not a known field");
        continue;
      }
      const value = json[key] ?? null;
      // Its other name is the field again.
      if (field.hasTwoNames && seen.includes(field)) reportAt(visit, field.name, "is given twice");
      if (value === null && !field.takesNull) {
        if (field.hasTwoNames) seen.push(field);
        continue;
      }
      const { oneof } = field;
      if (oneof !== undefined && seen.some((other) => other !== field && other.oneof === oneof)) {
        reportAt(visit, field.name, `excludes the other fields of ${oneof.name}`);
      }
      if (oneof !== undefined || field.hasTwoNames) seen.push(field);
      visit.path.push(field.name);
      field.write(value, writer, visit);
      visit.path.pop();
    }
  };
}

function reportAt(visit: Visit, name: string, description: string): void {
  visit.path.push(name);
  report(visit, description);
  visit.path.pop();
}

function fieldWriter(field: DescField, compiler: Compiler): FieldWriter {
  const common = {
    name: field.jsonName,
    hasTwoNames: field.name !== field.jsonName,
    takesNull: takesNull(field),
    oneof: field.oneof,
  };
  if (field.fieldKind === "list") return { ...common, write: listWriter(field, compiler) };
  if (field.fieldKind === "map") return { ...common, write: mapWriter(field, compiler) };
  return { ...common, write: singularWriter(field, compiler, !hasPresence(field)) };
}

/** A value with its tag; nothing for a default when there is no presence. */
function singularWriter(field: DescField, compiler: Compiler, omitsDefault: boolean): Write {
  const { number } = field;
  if (field.message !== undefined) {
    const write = messageWriter(field.message, compiler);
    return (json, writer, visit) => {
      writer.tag(number, 2);
      const place = writer.begin();
      write(json, writer, visit);
      writer.end(place);
    };
  }
  const { read, type } = valueReader(field, compiler);
  const wireType = scalarWireType(type);
  const writeAny: Write = (json, writer, visit) => {
    const value = read(json);
    if (value instanceof Fault) return report(visit, value.description);
    if (value === undefined || (omitsDefault && isDefault(value))) return;
    writer.tag(number, wireType);
    writeScalar(writer, type, value);
  };
  const writeUsual = usualWriter(type);
  if (writeUsual === undefined) return writeAny;
  return (json, writer, visit) => {
    if (typeof json === "string" && json !== "" && json !== "0") {
      const start = writer.length;
      writer.tag(number, wireType);
      if (writeUsual(json, writer)) return;
      writer.rewind(start);
    }
    writeAny(json, writer, visit);
  };
}

/** Types that most fields are of have a short way for the texts that most of them hold; it is false for others. */
function usualWriter(type: ScalarType): ((text: string, writer: WireWriter) => boolean) | undefined {
  switch (type) {
    case ScalarType.STRING:
      return (text, writer) => writer.shortAscii(text);
    case ScalarType.INT64:
      return (text, writer) => writer.decimal(text);
    case ScalarType.UINT64:
      return (text, writer) => text.charCodeAt(0) !== minus && writer.decimal(text);
    default:
      return undefined;
  }
}

function valueReader(
  field: DescField,
  { allowUnknown = false }: Compiler,
): { readonly read: (json: JsonValue) => ScalarRead | undefined; readonly type: ScalarType } {
  const { enum: desc, scalar = ScalarType.INT32 } = field;
  if (desc === undefined) return { read: scalarReader(scalar), type: scalar };
  const fault = new Fault(enumRule(desc));
  const isNull = desc.typeName === "google.protobuf.NullValue";
  const read = (json: JsonValue): number | Fault | undefined => {
    if (json === null && isNull) return 0;
    if (typeof json !== "string" && typeof json !== "number") return fault;
    const value = enumNumber(desc, json);
    if (value === undefined && allowUnknown && typeof json === "string") return undefined;
    return value === undefined ? fault : value + 0;
  };
  return { read, type: ScalarType.INT32 };
}

function listWriter(field: DescField & { readonly fieldKind: "list" }, compiler: Compiler): Write {
  const nullable = takesNull(field);
  const { write, isPacked } = itemWriter(field, compiler);
  return (json, writer, visit) => {
    if (!Array.isArray(json)) return report(visit, "must be an array");
    if (json.length === 0) return;
    if (isPacked) writer.tag(field.number, 2);
    const place = isPacked ? writer.begin() : 0;
    for (let i = 0; i < json.length; i += 1) {
      const item = json[i] as JsonValue;
      visit.path.push(i);
      if (item === null && !nullable) report(visit, "must not be null");
      else write(item, writer, visit);
      visit.path.pop();
    }
    if (isPacked) writer.end(place);
  };
}

/** Items of a packed list have no tags. */
function itemWriter(
  field: DescField & { readonly fieldKind: "list" },
  compiler: Compiler,
): { readonly write: Write; readonly isPacked: boolean } {
  if (!field.packed) return { write: singularWriter(field, compiler, false), isPacked: false };
  const { read, type } = valueReader(field, compiler);
  const write: Write = (json, writer, visit) => {
    const value = read(json);
    if (value instanceof Fault) report(visit, value.description);
    else if (value !== undefined) writeScalar(writer, type, value);
  };
  return { write, isPacked: true };
}

function mapWriter(field: DescField & { readonly fieldKind: "map" }, compiler: Compiler): Write {
  const nullable = takesNull(field);
  const { mapKey } = field;
  const readKey = scalarReader(mapKey);
  const isBool = mapKey === ScalarType.BOOL;
  const writeValue = singularWriter(mapValue(field), compiler, false);
  return (json, writer, visit) => {
    if (!isObject(json)) return report(visit, "must be an object");
    for (const [name, value] of Object.entries(json)) {
      visit.path.push(`["${name.slice(0, 100)}"]`);
      const key = readKey(isBool && (name === "true" || name === "false") ? name === "true" : name);
      const start = writer.length;
      if (key instanceof Fault) report(visit, `has a key that ${key.description}`);
      else if (value === null && !nullable) report(visit, "must not be null");
      else {
        writer.tag(field.number, 2);
        const place = writer.begin();
        writer.tag(1, scalarWireType(mapKey));
        writeScalar(writer, mapKey, key);
        const before = writer.length;
        writeValue(value, writer, visit);
        if (writer.length > before) writer.end(place);
        // The name of an enum value that is unknown and may be: protobuf leaves out the whole entry.
        else writer.rewind(start);
      }
      visit.path.pop();
    }
  };
}

/** The value of a map's entry is its field 2. */
function mapValue(field: DescField & { readonly fieldKind: "map" }): DescField {
  return Object.create(field, { number: { value: 2 } }) as DescField;
}

function wellKnownWriter(desc: DescMessage, registry: Registry): Write {
  return (json, writer, visit) => {
    try {
      writer.raw(toBinary(desc, fromJson(desc, withNumbers(json), { registry })));
    } catch {
      report(visit, `must be a ${desc.name} in JSON`);
    }
  };
}

/** A google.protobuf.Value holds numbers as JSON has them, rounded. */
function withNumbers(json: JsonValue): JsonValue {
  if (typeof json === "bigint") return Number(json);
  if (json === null || typeof json !== "object") return json;
  if (Array.isArray(json)) return json.map(withNumbers);
  return Object.fromEntries(Object.entries(json).map(([key, value]) => [key, withNumbers(value)]));
}

const writeTimestamp: Write = (json, writer, visit) => {
  const time = typeof json === "string" ? parseTimestamp(json) : undefined;
  if (time === undefined) return report(visit, "must be a Timestamp in JSON");
  if (time.seconds !== 0) {
    writer.tag(1, 0);
    writer.varint64(BigInt(time.seconds));
  }
  if (time.nanos !== 0) {
    writer.tag(2, 0);
    writer.uint32(time.nanos);
  }
};

function anyWriter(desc: DescMessage, compiler: Compiler): Write {
  return (json, writer, visit) => {
    if (!isObject(json)) return report(visit, "must be an object");
    const { "@type": typeUrl, ...fields } = json;
    if (typeUrl === undefined && Object.keys(fields).length === 0) return;
    if (typeof typeUrl !== "string" || !typeUrl.includes("/"))
      return report(visit, `must be a ${desc.name} in JSON`);
    const inner = compiler.registry.getMessage(typeUrl.slice(typeUrl.lastIndexOf("/") + 1));
    if (inner === undefined) return report(visit, `must be a ${desc.name} in JSON of a known type`);
    writer.tag(1, 2);
    writer.string(typeUrl);
    const before = writer.length;
    writer.tag(2, 2);
    const place = writer.begin();
    const value = hasCustomJsonRepresentation(inner) ? fields["value"] : fields;
    if (value === undefined) report(visit, "must have a value");
    else messageWriter(inner, compiler)(value, writer, visit);
    // Any.value has no presence: an empty message is not written, as the library has it.
    if (writer.length === place) writer.rewind(before);
    else writer.end(place);
  };
}

function takesNull(field: DescField): boolean {
  return (
    field.message?.typeName === "google.protobuf.Value" ||
    field.enum?.typeName === "google.protobuf.NullValue"
  );
}

function isObject(json: JsonValue): json is JsonObject {
  return json !== null && typeof json === "object" && !Array.isArray(json);
}
