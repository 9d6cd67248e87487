import { ScalarType } from "@bufbuild/protobuf";
import type { WireWriter } from "./wire-writer.ts";

const varint = 0;
const eightBytes = 1;
const delimited = 2;
const fourBytes = 5;

export function scalarWireType(type: ScalarType): number {
  switch (type) {
    case ScalarType.STRING:
    case ScalarType.BYTES:
      return delimited;
    case ScalarType.DOUBLE:
    case ScalarType.FIXED64:
    case ScalarType.SFIXED64:
      return eightBytes;
    case ScalarType.FLOAT:
    case ScalarType.FIXED32:
    case ScalarType.SFIXED32:
      return fourBytes;
    default:
      return varint;
  }
}

/** Writes a value, in the form that protobuf-es gives it, without its tag. 64-bit integers may be decimal texts. */
export function writeScalar(writer: WireWriter, type: ScalarType, value: unknown): void {
  switch (type) {
    case ScalarType.STRING:
      return writer.string(value as string);
    case ScalarType.BYTES:
      return writer.bytes(value as Uint8Array);
    case ScalarType.BOOL:
      return writer.uint32(value === true ? 1 : 0);
    case ScalarType.INT32:
      return writer.int32(value as number);
    case ScalarType.UINT32:
      return writer.uint32(value as number);
    case ScalarType.SINT32:
      return writer.uint32((((value as number) << 1) ^ ((value as number) >> 31)) >>> 0);
    case ScalarType.FIXED32:
    case ScalarType.SFIXED32:
      return writer.fixed32(value as number);
    case ScalarType.DOUBLE:
      return writer.double(value as number);
    case ScalarType.FLOAT:
      return writer.float(value as number);
    case ScalarType.INT64:
    case ScalarType.UINT64:
      return writer.varint64(BigInt(value as bigint | string));
    case ScalarType.SINT64: {
      const number = BigInt(value as bigint | string);
      return writer.varint64((number << 1n) ^ (number >> 63n));
    }
    case ScalarType.FIXED64:
    case ScalarType.SFIXED64:
      return writer.fixed64(BigInt(value as bigint | string));
  }
}

/** Whether a field without presence would not write this value at all. */
export function isDefault(value: unknown): boolean {
  if (value instanceof Uint8Array) return value.length === 0;
  return value === "" || value === false || value === 0n || Object.is(value, 0);
}
