import { ScalarType, type JsonValue } from "@bufbuild/protobuf";
import { base64Pattern, integerRanges, integerRule, isWide } from "../transcoding/scalar-text.ts";

/** A JSON value that is no array and no object; a bigint is an integer that a number would round. */
export type JsonScalar = JsonValue | bigint;

/** A value in the form that protobuf-es gives it, or a Fault. */
export type ScalarRead = string | number | bigint | boolean | Uint8Array | Fault;

/** What the value should have been: completes "<field> …". */
export class Fault {
  readonly description: string;
  constructor(description: string) {
    this.description = description;
  }
}

const mustBeString = new Fault("must be a string");
const mustBeWellFormed = new Fault("must not hold half of a surrogate pair");
const mustBeBool = new Fault("must be true or false");
const mustBeBase64 = new Fault("must be base64");
const mustBeNumber = new Fault("must be a number");

const decimalPattern = /^-?(?:0|[1-9][0-9]*)$/;
const numberPattern = /^-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?$/;

/** Compiles how values of a type are read by the proto3 JSON mapping. */
export function scalarReader(type: ScalarType): (json: JsonScalar) => ScalarRead {
  switch (type) {
    case ScalarType.STRING:
      return (json) => {
        if (typeof json !== "string") return mustBeString;
        return json.isWellFormed() ? json : mustBeWellFormed;
      };
    case ScalarType.BOOL:
      return (json) => (typeof json === "boolean" ? json : mustBeBool);
    case ScalarType.BYTES:
      return (json) => {
        const isBase64 =
          typeof json === "string" && base64Pattern.test(json) && json.replace(/=+$/, "").length % 4 !== 1;
        // Node reads both alphabets, with padding or without.
        return isBase64 ? Buffer.from(json, "base64") : mustBeBase64;
      };
    case ScalarType.DOUBLE:
      return readDouble;
    case ScalarType.FLOAT:
      return (json) => {
        const value = readDouble(json);
        if (typeof value !== "number" || !Number.isFinite(value)) return value;
        return Number.isFinite(Math.fround(value)) ? value : mustBeNumber;
      };
    default:
      return integerReader(type);
  }
}

function readDouble(json: JsonScalar): number | Fault {
  if (typeof json === "bigint") return Number(json);
  if (json === "NaN" || json === "Infinity" || json === "-Infinity") return Number(json);
  const value = typeof json === "string" && numberPattern.test(json) ? Number(json) : json;
  return typeof value === "number" && Number.isFinite(value) ? value : mustBeNumber;
}

/** An id must not change on its way: beyond 2^53 a number is no longer what was written, and is not taken. */
function integerReader(type: ScalarType): (json: JsonScalar) => number | bigint | Fault {
  const wide = isWide(type);
  const { min = 0n, max = 0n } = integerRanges.get(type) ?? {};
  const fault = new Fault(integerRule(type));
  if (wide) {
    return (json) => {
      let value: bigint | undefined;
      if (typeof json === "string") value = integerOf(json);
      else if (typeof json === "bigint") value = json;
      else if (typeof json === "number" && Number.isSafeInteger(json)) value = BigInt(json);
      return value !== undefined && value >= min && value <= max ? value : fault;
    };
  }
  const least = Number(min);
  const most = Number(max);
  return (json) => {
    const value = typeof json === "string" ? Number(integerOf(json)) : json;
    const isInteger = typeof value === "number" && Number.isInteger(value);
    // Adding 0 makes 0 of -0.
    return isInteger && value >= least && value <= most ? value + 0 : fault;
  };
}

const longestInteger = 20;
const exponentPattern = /^(-?(?:0|[1-9][0-9]*))(?:\.([0-9]+))?(?:[eE]([+-]?[0-9]{1,3}))?$/;

/** An integer as a text; undefined when it is none, or longer than any that a field can hold. */
function integerOf(text: string): bigint | undefined {
  if (text.length <= longestInteger && decimalPattern.test(text)) return BigInt(text);
  // "1.5e3" is an integer too, and "1.0": exactly, as digits whose point moves.
  const [, whole = "", fraction = "", exponent = "0"] = exponentPattern.exec(text) ?? [];
  const digits = whole + fraction;
  const zeros = Number(exponent) - fraction.length;
  if (whole === "" || digits.length + Math.abs(zeros) > 2 * longestInteger) return undefined;
  if (zeros >= 0) return BigInt(digits + "0".repeat(zeros));
  const divisor = 10n ** BigInt(-zeros);
  const value = BigInt(digits);
  return value % divisor === 0n ? value / divisor : undefined;
}
