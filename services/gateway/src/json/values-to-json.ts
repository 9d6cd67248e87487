import type { JsonWriter } from "./json-writer.ts";
import { MalformedMessage, type WireReader } from "./wire-reader.ts";

/** Reads one value and writes it as JSON. */
type Convert = (reader: WireReader, writer: JsonWriter) => void;

/** The message has a form that ordinary encoders do not write, and that is left to the library. */
export class UnusualMessage extends Error {}

export function malformed(): never {
  throw new MalformedMessage("a message is longer than it says");
}

export function unusual(): never {
  throw new UnusualMessage("the library must read this");
}

export const int32: Convert = (reader, writer) => writer.integer(reader.uint32() | 0);
export const uint32: Convert = (reader, writer) => writer.integer(reader.uint32());
export const sint32: Convert = (reader, writer) => {
  const zigzag = reader.uint32();
  writer.integer((zigzag >>> 1) ^ -(zigzag & 1));
};
export const fixed32: Convert = (reader, writer) =>
  writer.integer(reader.bytes.readUInt32LE(reader.advance(4)));
export const sfixed32: Convert = (reader, writer) =>
  writer.integer(reader.bytes.readInt32LE(reader.advance(4)));

export const int64: Convert = (reader, writer) => {
  reader.varint64();
  writer.signed64(reader.high, reader.low);
};
export const uint64: Convert = (reader, writer) => {
  reader.varint64();
  writer.unsigned64(reader.high, reader.low);
};
export const sint64: Convert = (reader, writer) => {
  reader.varint64();
  const sign = -(reader.low & 1);
  const low = (((reader.low >>> 1) | ((reader.high & 1) << 31)) ^ sign) >>> 0;
  writer.signed64(((reader.high >>> 1) ^ sign) >>> 0, low);
};
export const fixed64: Convert = (reader, writer) => {
  reader.fixed64();
  writer.unsigned64(reader.high, reader.low);
};
export const sfixed64: Convert = (reader, writer) => {
  reader.fixed64();
  writer.signed64(reader.high, reader.low);
};

export const bool: Convert = (reader, writer) => {
  reader.varint64();
  writer.ascii(reader.low === 0 && reader.high === 0 ? "false" : "true");
};

export const float: Convert = (reader, writer) =>
  writer.ascii(numberText(reader.bytes.readFloatLE(reader.advance(4))));
export const double: Convert = (reader, writer) =>
  writer.ascii(numberText(reader.bytes.readDoubleLE(reader.advance(8))));

/** With the words of the proto3 JSON mapping for what JSON has no numbers for. The sign of -0 is kept. */
function numberText(value: number): string {
  if (Number.isFinite(value)) return Object.is(value, -0) ? "-0" : String(value);
  return `"${value}"`;
}

export const string: Convert = (reader, writer) => {
  const end = reader.limit();
  writer.string(reader.bytes, reader.pos, end);
  reader.pos = end;
};

export const bytes: Convert = (reader, writer) => {
  const end = reader.limit();
  writer.ascii(`"${reader.bytes.toString("base64", reader.pos, end)}"`);
  reader.pos = end;
};

/** 0001-01-01T00:00:00Z to 9999-12-31T23:59:59Z, in days since the epoch. */
const minDay = -719_162;
const maxDay = 2_932_896;

/** A google.protobuf.Timestamp as RFC 3339. What is out of its range is left to the library's words. */
export const timestamp: Convert = (reader, writer) => {
  const end = reader.limit();
  let seconds = 0;
  let nanos = 0;
  while (reader.pos < end) {
    const tag = reader.uint32();
    if (tag === 8) {
      reader.varint64();
      seconds = (reader.high | 0) * 0x1_0000_0000 + reader.low;
    } else if (tag === 16) nanos = reader.uint32() | 0;
    else if (!reader.skip(tag)) unusual();
  }
  if (reader.pos !== end) malformed();
  const days = Math.floor(seconds / 86_400);
  if (days < minDay || days > maxDay || nanos < 0 || nanos > 999_999_999) unusual();
  writer.byte(0x22);
  writeDate(writer, days);
  const inDay = seconds - days * 86_400;
  const hours = Math.floor(inDay / 3_600);
  const minutes = Math.floor((inDay - hours * 3_600) / 60);
  writer.byte(0x54);
  writer.digits(hours, 2);
  writer.byte(0x3a);
  writer.digits(minutes, 2);
  writer.byte(0x3a);
  writer.digits(inDay - hours * 3_600 - minutes * 60, 2);
  if (nanos !== 0) {
    writer.byte(0x2e);
    if (nanos % 1_000_000 === 0) writer.digits(nanos / 1_000_000, 3);
    else if (nanos % 1_000 === 0) writer.digits(nanos / 1_000, 6);
    else writer.digits(nanos, 9);
  }
  writer.ascii('Z"');
};

/** Source: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", civil_from_days. */
function writeDate(writer: JsonWriter, daysSinceEpoch: number): void {
  const shifted = daysSinceEpoch + 719_468;
  const era = Math.floor(shifted / 146_097);
  const dayOfEra = shifted - era * 146_097;
  const yearOfEra = Math.floor(
    (dayOfEra -
      Math.floor(dayOfEra / 1_460) +
      Math.floor(dayOfEra / 36_524) -
      Math.floor(dayOfEra / 146_096)) /
      365,
  );
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const month = Math.floor((5 * dayOfYear + 2) / 153);
  const isNextYear = month >= 10;
  writer.digits(yearOfEra + era * 400 + (isNextYear ? 1 : 0), 4);
  writer.byte(0x2d);
  writer.digits(isNextYear ? month - 9 : month + 3, 2);
  writer.byte(0x2d);
  writer.digits(dayOfYear - Math.floor((153 * month + 2) / 5) + 1, 2);
}
