import { isUtf8 } from "node:buffer";
import type { JsonValue } from "@bufbuild/protobuf";
import type { Violation } from "../errors/violation.ts";

/** Arrays and objects inside of each other. Deeper ones are an attack on whoever walks them. */
export const maxDepth = 32;

export type ParsedJson = { readonly value: JsonValue } | { readonly violation: Violation };

/**
 * Parses a JSON text (RFC 8259) in UTF-8 without a byte order mark. Refuses what `JSON.parse` lets pass in silence:
 * a key twice in one object, and nesting deeper than `maxDepth`.
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
  const fault = scan(text);
  return fault === undefined ? { value } : refuse(fault);
}

function refuse(description: string): { violation: Violation } {
  return { violation: { field: "body", description } };
}

const quote = 0x22;
const backslash = 0x5c;
const openBrace = 0x7b;
const closeBrace = 0x7d;
const openBracket = 0x5b;
const closeBracket = 0x5d;
const comma = 0x2c;

/** Walks a text that `JSON.parse` accepted; only strings and brackets matter. */
function scan(text: string): string | undefined {
  /** Keys so far of each open object; undefined for an array. */
  const open: (Set<string> | undefined)[] = [];
  let isKeyNext = false;
  for (let i = 0; i < text.length; i += 1) {
    switch (text.charCodeAt(i)) {
      case openBrace:
      case openBracket:
        if (open.length === maxDepth) return `must not be nested deeper than ${maxDepth}`;
        isKeyNext = text.charCodeAt(i) === openBrace;
        open.push(isKeyNext ? new Set() : undefined);
        break;
      case closeBrace:
      case closeBracket:
        open.pop();
        isKeyNext = false;
        break;
      case comma:
        isKeyNext = open.at(-1) !== undefined;
        break;
      case quote: {
        const end = stringEnd(text, i);
        if (isKeyNext) {
          const raw = text.slice(i, end + 1);
          // Decoded, since "\u0061" and "a" are one key.
          const key = raw.includes("\\") ? String(JSON.parse(raw)) : raw.slice(1, -1);
          const keys = open.at(-1);
          if (keys?.has(key) === true) return "must not have a key twice in one object";
          keys?.add(key);
          isKeyNext = false;
        }
        i = end;
        break;
      }
      default:
    }
  }
  return undefined;
}

function stringEnd(text: string, start: number): number {
  let i = start + 1;
  for (let code = text.charCodeAt(i); code !== quote; code = text.charCodeAt(i)) {
    i += code === backslash ? 2 : 1;
  }
  return i;
}
