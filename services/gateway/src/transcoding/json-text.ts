import { isUtf8 } from "node:buffer";
import type { JsonValue } from "@bufbuild/protobuf";
import type { Violation } from "../errors/violation.ts";

/** Arrays and objects inside of each other. Deeper ones are an attack on whoever walks them. */
export const maxDepth = 32;

export type ParsedJson = { readonly value: JsonValue } | { readonly violation: Violation };

/**
 * Parses a JSON text (RFC 8259) in UTF-8 without a byte order mark. Refuses what `JSON.parse` lets pass in silence:
 * a key twice in one object, and nesting deeper than `maxDepth`. An integer that a number would round is a bigint.
 */
export function parseJson(bytes: Buffer): ParsedJson {
  if (!isUtf8(bytes)) return refuse("must be UTF-8");
  const text = bytes.toString("utf8");
  let value: JsonValue;
  try {
    value = JSON.parse(text) as JsonValue;
  } catch {
    return refuse("must be JSON");
  }
  const { members, hasLongNumber, isTooDeep } = scan(text);
  if (isTooDeep) return refuse(`must not be nested deeper than ${maxDepth}`);
  // Of two members with one key, JSON.parse keeps one.
  if (countMembers(value) !== members) return refuse("must not have a key twice in one object");
  return { value: hasLongNumber ? (JSON.parse(text, exactly) as JsonValue) : value };
}

function refuse(description: string): { violation: Violation } {
  return { violation: { field: "body", description } };
}

const integerPattern = /^-?[0-9]+$/;

/** A reviver: with the source of a number, since the value is rounded already. */
function exactly(_key: string, value: unknown, context?: { readonly source?: string }): unknown {
  const source = context?.source;
  if (typeof value !== "number" || Number.isSafeInteger(value) || source === undefined) return value;
  return integerPattern.test(source) && source.length <= longestInteger ? BigInt(source) : value;
}

/** Of 64 bits; BigInt must not be handed a longer text. */
const longestInteger = 20;
/** With fewer digits an integer is exact as a number. */
const longDigits = 16;

const quote = 0x22;
const comma = 0x2c;
const point = 0x2e;
const zero = 0x30;
const nine = 0x39;
const colon = 0x3a;
const openBracket = 0x5b;
const backslash = 0x5c;
const closeBracket = 0x5d;
const openBrace = 0x7b;
const closeBrace = 0x7d;

interface Scanned {
  /** Of all objects. */
  readonly members: number;
  readonly hasLongNumber: boolean;
  readonly isTooDeep: boolean;
}

/** Walks a text that `JSON.parse` accepted: what stands between strings is brackets, colons, numbers and words. */
function scan(text: string): Scanned {
  let depth = 0;
  let members = 0;
  let hasLongNumber = false;
  for (let i = 0; i < text.length; i += 1) {
    const code = text.charCodeAt(i);
    if (code === quote) i = stringEnd(text, i);
    else if (code === comma) continue;
    else if (code === colon) members += 1;
    else if (code === openBrace || code === openBracket) {
      depth += 1;
      if (depth > maxDepth) return { members, hasLongNumber, isTooDeep: true };
    } else if (code === closeBrace || code === closeBracket) depth -= 1;
    else if (code >= zero && code <= nine) {
      const start = i;
      while (isDigit(text.charCodeAt(i + 1))) i += 1;
      if (i + 1 - start >= longDigits && text.charCodeAt(start - 1) !== point) hasLongNumber = true;
    }
  }
  return { members, hasLongNumber, isTooDeep: false };
}

function isDigit(code: number): boolean {
  return code >= zero && code <= nine;
}

function stringEnd(text: string, start: number): number {
  let i = start + 1;
  for (let code = text.charCodeAt(i); code !== quote; code = text.charCodeAt(i)) {
    i += code === backslash ? 2 : 1;
  }
  return i;
}

function countMembers(value: JsonValue): number {
  if (value === null || typeof value !== "object") return 0;
  let count = 0;
  if (Array.isArray(value)) {
    for (const item of value) count += countMembers(item);
    return count;
  }
  // What JSON.parse makes inherits nothing that is enumerable.
  for (const key in value) count += 1 + countMembers(value[key] ?? null);
  return count;
}
