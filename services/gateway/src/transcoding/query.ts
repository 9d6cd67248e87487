import { create, mergeFromJson, type DescField, type DescMessage, type Message } from "@bufbuild/protobuf";
import { isWrapperDesc } from "@bufbuild/protobuf/wkt";
import type { Violation } from "../errors/violation.ts";
import {
  getField,
  leafParent,
  resolveFieldPath,
  setField,
  type FieldPath,
  type Fields,
} from "./field-path.ts";
import { readScalarText } from "./scalar-text.ts";

/** More than any client needs, and few enough to look at each. */
const maxParameters = 1000;

/** Types that one query parameter can hold, by their JSON string. */
const textTypes = new Set([
  "google.protobuf.Timestamp",
  "google.protobuf.Duration",
  "google.protobuf.FieldMask",
]);

/** Whether one parameter can hold the field: a primitive, a list of these, or a message whose JSON is one text. */
export function isQueryField(field: DescField): boolean {
  if (field.fieldKind === "map") return false;
  if (field.message === undefined) return true;
  return (
    field.fieldKind === "message" && (textTypes.has(field.message.typeName) || isWrapperDesc(field.message))
  );
}

/**
 * Sets fields of the message from a query ("cursor=x&page_size=20&post.id=7&ids=1&ids=2"); names may be proto
 * names or JSON names. Every fault is reported, and the message is then good for nothing.
 *
 * `isTaken` says of a field path whether it is given by the path or the body, and so not here.
 */
export function applyQuery(
  desc: DescMessage,
  message: Message,
  query: string,
  isTaken: (field: FieldPath) => boolean,
): Violation[] {
  if (query === "") return [];
  const violations: Violation[] = [];
  const seen = new Set<string>();
  const pairs = query.split("&");
  if (pairs.length > maxParameters) return [{ field: "query", description: "has too many parameters" }];
  for (const pair of pairs) {
    if (pair === "") continue;
    const read = decodePair(pair);
    if (read === undefined) {
      violations.push({ field: "query", description: "must be percent-encoded UTF-8" });
      continue;
    }
    const { name, value } = read;
    const path = resolveFieldPath(desc, name.split("."));
    const report = (description: string): void => {
      violations.push({ field: path?.jsonName ?? name.slice(0, 100), description });
    };
    if (path === undefined || isTaken(path)) {
      report("is not a known query parameter");
      continue;
    }
    const { leaf, jsonName } = path;
    if (leaf.fieldKind !== "list" && seen.has(jsonName)) report("is given twice");
    seen.add(jsonName);
    const fault = applyParameter(leafParent(message, path), path, value);
    if (fault !== undefined) report(fault);
  }
  return violations;
}

function applyParameter(parent: Fields, { leaf }: FieldPath, text: string): string | undefined {
  if (leaf.fieldKind === "map" || (leaf.fieldKind === "list" && leaf.message !== undefined)) {
    return "cannot be given in the query";
  }
  if (leaf.oneof !== undefined) {
    const chosen = parent[leaf.oneof.localName] as { case: string | undefined };
    if (chosen.case !== undefined && chosen.case !== leaf.localName) {
      return `excludes the other fields of ${leaf.oneof.name}`;
    }
  }
  if (leaf.message !== undefined) {
    if (isWrapperDesc(leaf.message)) return applyWrapped(parent, leaf, text);
    if (!textTypes.has(leaf.message.typeName)) return "is a message: give its fields one by one";
    try {
      mergeFromJson(leaf.parent, parent as unknown as Message, { [leaf.jsonName]: text });
      return undefined;
    } catch {
      return `must be a ${leaf.message.name} in JSON`;
    }
  }
  const read = readScalarText(leaf, text);
  if ("mustBe" in read) return read.mustBe;
  if (leaf.fieldKind === "list") (getField(parent, leaf) as unknown[]).push(read.value);
  else setField(parent, leaf, read.value);
  return undefined;
}

/** A google.protobuf.Int32Value and the like, given as its value is. */
function applyWrapped(parent: Fields, leaf: DescField, text: string): string | undefined {
  const [value] = leaf.message?.fields ?? [];
  if (leaf.message === undefined || value === undefined) return undefined;
  const read = readScalarText(value, text);
  if ("mustBe" in read) return read.mustBe;
  // protobuf-es has the bare value in place of the message, but for members of a oneof.
  const isBare = leaf.oneof === undefined;
  setField(parent, leaf, isBare ? read.value : create(leaf.message, { value: read.value }));
  return undefined;
}

/** application/x-www-form-urlencoded, but strict: a broken escape is a fault and not a replacement character. */
function decodePair(pair: string): { name: string; value: string } | undefined {
  const equals = pair.indexOf("=");
  const name = equals === -1 ? pair : pair.slice(0, equals);
  const value = equals === -1 ? "" : pair.slice(equals + 1);
  try {
    return { name: decode(name), value: decode(value) };
  } catch {
    return undefined;
  }
}

function decode(text: string): string {
  const spaced = text.includes("+") ? text.replaceAll("+", " ") : text;
  return spaced.includes("%") ? decodeURIComponent(spaced) : spaced;
}
