import { ScalarType, type DescEnum, type DescField } from "@bufbuild/protobuf";
import { base64Decode } from "@bufbuild/protobuf/wire";

/** A value read from text, or what the text should have been. */
export type Read = { readonly value: unknown } | { readonly mustBe: string };

const integerPattern = /^-?(?:0|[1-9][0-9]*)$/;
const floatPattern = /^-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?$/;

/** Ranges of the integer types, and how they are told. */
export const integerRanges: ReadonlyMap<ScalarType, { readonly min: bigint; readonly max: bigint }> = new Map(
  [
    ...[ScalarType.INT32, ScalarType.SINT32, ScalarType.SFIXED32].map((type) => [type, signed(31n)] as const),
    ...[ScalarType.INT64, ScalarType.SINT64, ScalarType.SFIXED64].map((type) => [type, signed(63n)] as const),
    ...[ScalarType.UINT32, ScalarType.FIXED32].map((type) => [type, unsigned(32n)] as const),
    ...[ScalarType.UINT64, ScalarType.FIXED64].map((type) => [type, unsigned(64n)] as const),
  ],
);

const wideTypes: ReadonlySet<ScalarType> = new Set([
  ScalarType.INT64,
  ScalarType.SINT64,
  ScalarType.SFIXED64,
  ScalarType.UINT64,
  ScalarType.FIXED64,
]);

export function isWide(type: ScalarType): boolean {
  return wideTypes.has(type);
}

/** What an integer of this type must be: "must be an integer from 0 to 4294967295". */
export function integerRule(type: ScalarType): string {
  const range = integerRanges.get(type);
  return `must be an integer from ${range?.min} to ${range?.max}`;
}

/** Reads a path segment or a query value into a scalar or enum field, in the proto's local form. */
export function readScalarText(field: DescField, text: string): Read {
  if (field.enum !== undefined) return readEnumText(field.enum, text);
  switch (field.scalar) {
    case ScalarType.STRING:
      return { value: text };
    case ScalarType.BOOL:
      return text === "true" || text === "false"
        ? { value: text === "true" }
        : { mustBe: "must be true or false" };
    case ScalarType.BYTES:
      return readBytes(text);
    case ScalarType.DOUBLE:
    case ScalarType.FLOAT:
      return readFloat(field.scalar, text);
    case undefined:
      return { mustBe: "cannot be given as text" };
    default:
      return readInteger(field, field.scalar, text);
  }
}

function readInteger(field: DescField, type: ScalarType, text: string): Read {
  const range = integerRanges.get(type);
  // The longest number of 64 bits has 20 characters; BigInt must not be handed a longer text.
  if (range !== undefined && text.length <= 20 && integerPattern.test(text)) {
    const value = BigInt(text);
    if (value >= range.min && value <= range.max) {
      if (!isWide(type)) return { value: Number(value) };
      return { value: "longAsString" in field && field.longAsString ? String(value) : value };
    }
  }
  return { mustBe: integerRule(type) };
}

const maxFloat = 3.4028234663852886e38;

function readFloat(type: ScalarType, text: string): Read {
  if (text === "NaN" || text === "Infinity" || text === "-Infinity") return { value: Number(text) };
  const value = floatPattern.test(text) ? Number(text) : Number.NaN;
  const isInRange = Number.isFinite(value) && (type === ScalarType.DOUBLE || Math.abs(value) <= maxFloat);
  return isInRange ? { value } : { mustBe: "must be a number" };
}

export const base64Pattern: RegExp = /^[A-Za-z0-9+/_-]*={0,2}$/;

function readBytes(text: string): Read {
  if (base64Pattern.test(text)) {
    try {
      return { value: base64Decode(text) };
    } catch {
      // Of a length that base64 does not have.
    }
  }
  return { mustBe: "must be base64" };
}

/** An enum value by name, or by number when the enum is open or has it. */
export function enumNumber(desc: DescEnum, value: string | number): number | undefined {
  if (typeof value === "string") return desc.values.find(({ name }) => name === value)?.number;
  if (desc.values.some(({ number }) => number === value)) return value;
  return desc.open && Number.isInteger(value) && Math.abs(value) <= 2 ** 31 - 1 ? value : undefined;
}

export function enumRule(desc: DescEnum): string {
  return `must be one of ${desc.values.map(({ name }) => name).join(", ")}`;
}

function readEnumText(desc: DescEnum, text: string): Read {
  const isNumber = text.length <= 11 && integerPattern.test(text);
  const value = enumNumber(desc, isNumber ? Number(text) : text);
  return value === undefined ? { mustBe: enumRule(desc) } : { value };
}

function signed(bits: bigint): { min: bigint; max: bigint } {
  return { min: -(2n ** bits), max: 2n ** bits - 1n };
}

function unsigned(bits: bigint): { min: bigint; max: bigint } {
  return { min: 0n, max: 2n ** bits - 1n };
}
