import {
  fromJson,
  ScalarType,
  type DescField,
  type DescMessage,
  type JsonValue,
  type Registry,
} from "@bufbuild/protobuf";
import { hasCustomJsonRepresentation } from "@bufbuild/protobuf/wkt";
import type { Violation } from "../errors/violation.ts";
import { fieldsByName } from "./field-path.ts";
import { base64Pattern, enumNumber, enumRule, integerRanges, integerRule, isWide } from "./scalar-text.ts";

/** Faults told at once; more would only make the answer long. */
const maxViolations = 16;

/**
 * What keeps a JSON value from being a message, by the proto3 JSON mapping. Empty when nothing does.
 *
 * Why not leave it to protobuf-es: it stops at the first fault, names fields without their path, and takes
 * integers beyond 2^53 that JSON has rounded, and "0x10" for 16. An id must not change on its way.
 */
export function checkMessage(desc: DescMessage, json: JsonValue, registry: Registry): Violation[] {
  const violations: Violation[] = [];
  const report = (field: string, description: string): void => {
    if (violations.length < maxViolations) violations.push({ field, description });
  };
  visitMessage(desc, json, "", { report, registry });
  return violations;
}

interface Visit {
  readonly report: (field: string, description: string) => void;
  /** For what is inside of a google.protobuf.Any. */
  readonly registry: Registry;
}

function visitMessage(desc: DescMessage, json: JsonValue, path: string, visit: Visit): void {
  if (hasCustomJsonRepresentation(desc)) {
    visitWellKnown(desc, json, path, visit);
    return;
  }
  if (json === null || typeof json !== "object" || Array.isArray(json)) {
    visit.report(path === "" ? "body" : path, "must be an object");
    return;
  }
  const fields = fieldsByName(desc);
  const seen = new Set<DescField>();
  const chosen = new Set<object>();
  for (const [key, value] of Object.entries(json)) {
    const field = fields.get(key);
    if (field === undefined) {
      visit.report(join(path, key.slice(0, 100)), "is not a known field");
      continue;
    }
    const name = join(path, field.jsonName);
    if (seen.has(field)) visit.report(name, "is given twice");
    seen.add(field);
    if (value === null && !takesNull(field)) continue;
    if (field.oneof !== undefined) {
      if (chosen.has(field.oneof)) visit.report(name, `excludes the other fields of ${field.oneof.name}`);
      chosen.add(field.oneof);
    }
    visitField(field, value, name, visit);
  }
}

function visitField(field: DescField, json: JsonValue, path: string, visit: Visit): void {
  if (field.fieldKind === "list") {
    if (!Array.isArray(json)) return visit.report(path, "must be an array");
    for (const [index, item] of json.entries()) visitValue(field, item, `${path}[${index}]`, visit);
  } else if (field.fieldKind === "map") {
    if (json === null || typeof json !== "object" || Array.isArray(json))
      return visit.report(path, "must be an object");
    for (const [key, item] of Object.entries(json)) {
      visitValue(field, item, `${path}["${key.slice(0, 100)}"]`, visit);
    }
  } else {
    visitValue(field, json, path, visit);
  }
}

/** A singular value, or one item of a list or map. */
function visitValue(field: DescField, json: JsonValue, path: string, visit: Visit): void {
  if (json === null && !takesNull(field)) return visit.report(path, "must not be null");
  if (field.message !== undefined) {
    visitMessage(field.message, json, path, visit);
  } else if (field.enum !== undefined) {
    if (field.enum.typeName === "google.protobuf.NullValue" && json === null) return;
    const isKnown =
      (typeof json === "string" || typeof json === "number") && enumNumber(field.enum, json) !== undefined;
    if (!isKnown) visit.report(path, enumRule(field.enum));
  } else if (field.scalar !== undefined) {
    const fault = scalarFault(field.scalar, json);
    if (fault !== undefined) visit.report(path, fault);
  }
}

function takesNull(field: DescField): boolean {
  return (
    field.message?.typeName === "google.protobuf.Value" ||
    field.enum?.typeName === "google.protobuf.NullValue"
  );
}

const decimalPattern = /^-?(?:0|[1-9][0-9]*)$/;
const numberPattern = /^-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?$/;

function scalarFault(type: ScalarType, json: JsonValue): string | undefined {
  switch (type) {
    case ScalarType.STRING:
      if (typeof json !== "string") return "must be a string";
      return json.isWellFormed() ? undefined : "must not hold half of a surrogate pair";
    case ScalarType.BOOL:
      return typeof json === "boolean" ? undefined : "must be true or false";
    case ScalarType.BYTES:
      return typeof json === "string" && base64Pattern.test(json) && json.replace(/=+$/, "").length % 4 !== 1
        ? undefined
        : "must be base64";
    case ScalarType.DOUBLE:
    case ScalarType.FLOAT: {
      if (json === "NaN" || json === "Infinity" || json === "-Infinity") return undefined;
      const value = typeof json === "string" && numberPattern.test(json) ? Number(json) : json;
      const isInRange =
        typeof value === "number" &&
        Number.isFinite(value) &&
        (type === ScalarType.DOUBLE || Number.isFinite(Math.fround(value)));
      return isInRange ? undefined : "must be a number";
    }
    default:
      return integerFault(type, json);
  }
}

function integerFault(type: ScalarType, json: JsonValue): string | undefined {
  const range = integerRanges.get(type);
  let value: bigint | undefined;
  if (typeof json === "string" && json.length <= 20 && decimalPattern.test(json)) value = BigInt(json);
  // Beyond 2^53 a JSON number is no longer the number that was written.
  if (typeof json === "number" && Number.isSafeInteger(json)) value = BigInt(json);
  if (range !== undefined && value !== undefined && value >= range.min && value <= range.max)
    return undefined;
  return isWide(type) ? `${integerRule(type)}, as a string beyond 2^53` : integerRule(type);
}

/** Types with a JSON form of their own are few and small: the library's verdict is taken, its words are not. */
function visitWellKnown(desc: DescMessage, json: JsonValue, path: string, visit: Visit): void {
  try {
    fromJson(desc, json, { registry: visit.registry });
  } catch {
    visit.report(path === "" ? "body" : path, `must be a ${desc.name} in JSON`);
  }
}

function join(path: string, name: string): string {
  return path === "" ? name : `${path}.${name}`;
}
