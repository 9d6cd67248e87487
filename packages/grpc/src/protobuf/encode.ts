import { ScalarType, toBinary, type DescField, type DescMessage, type Message } from "@bufbuild/protobuf";
import { FeatureSet_FieldPresence, isWrapperDesc } from "@bufbuild/protobuf/wkt";

import { OctetWriter, unusual } from "./octet-writer.ts";
import { isZero, scalarWriter, wireTypeOf, WireType } from "./scalars.ts";

type Values = Readonly<Record<string, unknown>>;
type Write = (writer: OctetWriter, message: Values) => void;
type WriteValue = (writer: OctetWriter, value: unknown) => void;

const writer = new OctetWriter();
const compiled = new WeakMap<DescMessage, Write>();
/** Types of which a message was left to the library: the next one would be, too. */
const left = new WeakSet<DescMessage>();
const kept = new WeakMap<object, Uint8Array>();

/**
 * The binary form of a message, as `toBinary` of the library makes it: a view that the next call overwrites.
 *
 * Why: `toBinary` makes two buffers for each message, and they cost more than all else that a server does for a small
 * call. What is rare (maps, groups, required fields, wrappers, `Struct`, extensions of these, values that are not
 * plainly of their type) is left to it.
 */
export function encodeMessage(desc: DescMessage, message: Message): Uint8Array {
  if (left.has(desc)) return toBinary(desc, message);
  try {
    writer.begin();
    writerOf(desc)(writer, message);
    return writer.octets();
  } catch (error) {
    if (error !== unusual) throw error;
    const octets = toBinary(desc, message);
    left.add(desc);
    return octets;
  }
}

/**
 * Encodes a message once for all messages that it will be a part of: from now on its octets are copied into them, and it
 * must not change. For what goes into many answers as it is. Answers how many octets are kept, as long as the message is.
 */
export function keepEncoded(desc: DescMessage, message: Message): number {
  const octets = Buffer.from(encodeMessage(desc, message));
  kept.set(message, octets);
  return octets.length;
}

function writerOf(desc: DescMessage): Write {
  const known = compiled.get(desc);
  if (known !== undefined) return known;
  const fields: Write[] = [];
  const write: Write = (out, message) => {
    if (message["$typeName"] !== desc.typeName) throw unusual;
    for (const field of fields) field(out, message);
    const unknown = message["$unknown"] as Message["$unknown"];
    if (unknown === undefined) return;
    for (const { no, wireType, data } of unknown) {
      out.varint(tag(no, wireType));
      out.raw(data);
    }
  };
  // Before its fields, which may be of the same type.
  compiled.set(desc, write);
  for (const field of desc.fields.toSorted((a, b) => a.number - b.number)) fields.push(fieldWriter(field));
  return write;
}

function fieldWriter(field: DescField): Write {
  const { localName } = field;
  if (field.fieldKind === "map") return leftUnlessEmpty(localName);
  if (field.fieldKind === "list") return listWriter(field);
  const write = valueWriter(field);
  if (field.oneof !== undefined) {
    const group = field.oneof.localName;
    return (out, message) => {
      const chosen = message[group] as { case?: string; value?: unknown };
      if (chosen.case === localName) write(out, chosen.value);
    };
  }
  if (field.presence === FeatureSet_FieldPresence.LEGACY_REQUIRED) {
    return () => {
      throw unusual;
    };
  }
  if (field.presence !== FeatureSet_FieldPresence.IMPLICIT) {
    return (out, message) => {
      const value = message[localName];
      // Defaults of proto2 are on the prototype.
      if (value !== undefined && Object.hasOwn(message, localName)) write(out, value);
    };
  }
  if (field.fieldKind === "enum") {
    const zero = field.enum.values[0]?.number;
    return (out, message) => {
      const value = message[localName];
      if (value !== zero) write(out, value);
    };
  }
  const type = field.fieldKind === "scalar" ? field.scalar : ScalarType.BYTES;
  return (out, message) => {
    const value = message[localName];
    if (!isZero(type, value)) write(out, value);
  };
}

type ListField = DescField & { fieldKind: "list" };
type SingularField = Exclude<DescField, { fieldKind: "list" | "map" }>;

function listWriter(field: ListField): Write {
  const { localName, number } = field;
  if (field.listKind === "message") {
    const write = childWriter(number, field.message, field.delimitedEncoding);
    return (out, message) => {
      for (const item of message[localName] as readonly unknown[]) write(out, item);
    };
  }
  const type = field.listKind === "enum" ? ScalarType.INT32 : field.scalar;
  const write = scalarWriter(type);
  const head = tag(number, field.packed ? WireType.LEN : wireTypeOf(type));
  if (field.packed) {
    return (out, message) => {
      const items = message[localName] as readonly unknown[];
      if (items.length === 0) return;
      out.varint(head);
      const fork = out.fork();
      for (const item of items) write(out, item);
      out.join(fork);
    };
  }
  return (out, message) => {
    for (const item of message[localName] as readonly unknown[]) {
      out.varint(head);
      write(out, item);
    }
  };
}

/** Writes the tag and the value. */
function valueWriter(field: SingularField): WriteValue {
  if (field.fieldKind === "message") {
    const unwrapped = field.oneof === undefined && isWrapperDesc(field.message);
    return childWriter(field.number, field.message, field.delimitedEncoding || unwrapped);
  }
  const type = field.fieldKind === "enum" ? ScalarType.INT32 : field.scalar;
  const write = scalarWriter(type);
  const head = tag(field.number, wireTypeOf(type));
  return (out, value) => {
    out.varint(head);
    write(out, value);
  };
}

function childWriter(number: number, desc: DescMessage, isLeft: boolean): WriteValue {
  if (isLeft || desc.typeName === "google.protobuf.Struct") {
    return () => {
      throw unusual;
    };
  }
  const head = tag(number, WireType.LEN);
  const write = writerOf(desc);
  return (out, value) => {
    if (typeof value !== "object" || value === null) throw unusual;
    out.varint(head);
    const octets = kept.get(value);
    if (octets !== undefined && (value as Values)["$typeName"] === desc.typeName) return out.bytes(octets);
    const fork = out.fork();
    write(out, value as Values);
    out.join(fork);
  };
}

function leftUnlessEmpty(localName: string): Write {
  return (_, message) => {
    for (const _key in message[localName] as object) throw unusual;
  };
}

function tag(number: number, wireType: number): number {
  return ((number << 3) | wireType) >>> 0;
}
