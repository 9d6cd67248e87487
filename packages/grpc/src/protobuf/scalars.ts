import { ScalarType } from "@bufbuild/protobuf";

import { unusual, type OctetWriter } from "./octet-writer.ts";

export type WriteScalar = (writer: OctetWriter, value: unknown) => void;

/** The wire types of https://protobuf.dev/programming-guides/encoding/. */
export const WireType = { VARINT: 0, I64: 1, LEN: 2, I32: 5 } as const;

export function wireTypeOf(type: ScalarType): number {
  switch (type) {
    case ScalarType.STRING:
    case ScalarType.BYTES:
      return WireType.LEN;
    case ScalarType.DOUBLE:
    case ScalarType.FIXED64:
    case ScalarType.SFIXED64:
      return WireType.I64;
    case ScalarType.FLOAT:
    case ScalarType.FIXED32:
    case ScalarType.SFIXED32:
      return WireType.I32;
    default:
      return WireType.VARINT;
  }
}

/** Whether a field of implicit presence with this value is left out. -0 is not the zero of a float. */
export function isZero(type: ScalarType, value: unknown): boolean {
  switch (type) {
    case ScalarType.BYTES:
      return value instanceof Uint8Array && value.length === 0;
    case ScalarType.DOUBLE:
    case ScalarType.FLOAT:
      return Object.is(value, 0);
    case ScalarType.STRING:
      return value === "";
    case ScalarType.BOOL:
      return value === false;
    default:
      return value === 0 || value === 0n;
  }
}

/** Writers of values alone, without tags; they throw `unusual` for what is not plainly of the type. */
export function scalarWriter(type: ScalarType): WriteScalar {
  switch (type) {
    case ScalarType.STRING:
      return (writer, value) => {
        if (typeof value !== "string") throw unusual;
        writer.string(value);
      };
    case ScalarType.BYTES:
      return (writer, value) => {
        if (!(value instanceof Uint8Array)) throw unusual;
        writer.bytes(value);
      };
    case ScalarType.BOOL:
      return (writer, value) => {
        if (typeof value !== "boolean") throw unusual;
        writer.varint(value ? 1 : 0);
      };
    case ScalarType.INT32:
      return (writer, value) => {
        const checked = int32(value);
        if (checked >= 0) writer.varint(checked);
        else writer.varint64(BigInt(checked));
      };
    case ScalarType.SINT32:
      return (writer, value) => {
        const checked = int32(value);
        writer.varint(((checked << 1) ^ (checked >> 31)) >>> 0);
      };
    case ScalarType.SFIXED32:
      return (writer, value) => writer.fixed32(int32(value));
    case ScalarType.UINT32:
      return (writer, value) => writer.varint(uint32(value));
    case ScalarType.FIXED32:
      return (writer, value) => writer.fixed32(uint32(value));
    case ScalarType.INT64:
      return (writer, value) => writer.varint64(int64(value));
    case ScalarType.SINT64:
      return (writer, value) => {
        const checked = int64(value);
        writer.varint64((checked << 1n) ^ (checked >> 63n));
      };
    case ScalarType.SFIXED64:
      return (writer, value) => writer.fixed64(int64(value));
    case ScalarType.UINT64:
      return (writer, value) => writer.varint64(uint64(value));
    case ScalarType.FIXED64:
      return (writer, value) => writer.fixed64(uint64(value));
    case ScalarType.DOUBLE:
      return (writer, value) => {
        if (typeof value !== "number") throw unusual;
        writer.double(value);
      };
    case ScalarType.FLOAT:
      return (writer, value) => {
        if (typeof value !== "number") throw unusual;
        // What is above the range is an error and not infinity.
        if (Number.isFinite(value) && !Number.isFinite(Math.fround(value))) throw unusual;
        writer.float(value);
      };
  }
}

function int32(value: unknown): number {
  if (typeof value !== "number" || (value | 0) !== value) throw unusual;
  return value;
}

function uint32(value: unknown): number {
  if (typeof value !== "number" || value >>> 0 !== value) throw unusual;
  return value;
}

function int64(value: unknown): bigint {
  if (typeof value !== "bigint" || BigInt.asIntN(64, value) !== value) throw unusual;
  return value;
}

function uint64(value: unknown): bigint {
  if (typeof value !== "bigint" || BigInt.asUintN(64, value) !== value) throw unusual;
  return value;
}
