import {
  create,
  fromBinary,
  toBinary,
  type DescField,
  type DescMessage,
  type JsonObject,
  type JsonValue,
  type Registry,
} from "@bufbuild/protobuf";
import { badRequest } from "../errors/failure.ts";
import type { Violation } from "../errors/violation.ts";
import { compileFromJson, type FromJson } from "../json/compile-from-json.ts";
import { isDefault, scalarWireType, writeScalar } from "../json/scalar-to-wire.ts";
import { hasPresence } from "../json/presence.ts";
import { createWireWriter, type WireWriter } from "../json/wire-writer.ts";
import { variableText, type RequestPath } from "../routing/path.ts";
import type { Template, Variable } from "../routing/template.ts";
import { getField, resolveFieldPath, valueAt, type FieldPath } from "./field-path.ts";
import { parseJson } from "./json-text.ts";
import { isHttpBody, writeHttpBody, writeHttpBodyField } from "./http-body.ts";
import { applyQuery } from "./query.ts";
import { isObject, pathsOf, updateMaskOf, writeMask } from "./update-mask.ts";
import { readScalarText } from "./scalar-text.ts";

export interface RequestParts {
  readonly path: RequestPath;
  /** Behind the question mark; "" for none. */
  readonly query: string;
  /** Empty for none. JSON, unless the route takes a google.api.HttpBody. */
  readonly body: Buffer;
  /** Of the body; "" when the client says none. */
  readonly contentType: string;
}

/** Makes the rpc's request in binary form. Throws INVALID_ARGUMENT with every faulty field. */
export type RequestReader = (parts: RequestParts) => Buffer;

interface PathBinding {
  readonly variable: Variable;
  readonly field: FieldPath;
}

export interface RequestRule {
  readonly template: Template;
  /** Of the rule: "" for none, "*", or a field's name. */
  readonly body: string;
  readonly registry: Registry;
  /** Passes over what the contract does not have in a body. */
  readonly allowUnknown: boolean;
  /** Fills an update_mask that the request leaves empty from what the body names. */
  readonly fillsMask: boolean;
}

/** Whether the body goes to the rpc as it comes, as a google.api.HttpBody. */
export function takesHttpBody(desc: DescMessage, body: string): boolean {
  if (body === "*") return isHttpBody(desc);
  return body !== "" && isHttpBody(desc.fields.find(({ name }) => name === body)?.message);
}

/**
 * Compiles how a binding's requests are read. What the path gives, nothing else may give: the query is refused
 * when it names such a field, and the body when it says something else.
 *
 * Body, query and path are written one behind the other: protobuf merges what stands behind into what is there.
 *
 * Throws when the template or `body` names a field that is not there or has no such form.
 */
export function compileRequestReader(desc: DescMessage, rule: RequestRule): RequestReader {
  const bindings = rule.template.variables.map((variable) => bindVariable(desc, variable));
  const bodyField = rule.body === "" || rule.body === "*" ? undefined : bodyFieldOf(desc, rule.body);
  const readBody = compileBody(desc, rule, bodyField);
  const maskField = rule.fillsMask ? updateMaskOf(desc) : undefined;
  const isTaken = ({ parents, leaf, jsonName }: FieldPath): boolean => {
    const top = parents[0] ?? leaf;
    return (
      rule.body === "*" ||
      (bodyField !== undefined &&
        (top === bodyField || (top.oneof !== undefined && top.oneof === bodyField.oneof))) ||
      bindings.some(({ field }) => field.jsonName === jsonName)
    );
  };

  return (parts) => {
    const { path, query } = parts;
    const violations: Violation[] = [];
    // Its binary form is hardly ever longer than the JSON, and path and query are short.
    const writer = createWireWriter(parts.body.length + 256);
    const json = parts.body.length === 0 ? undefined : readBody(parts, writer, violations);
    const bodyLength = writer.length;
    let isMaskGiven = false;
    if (query !== "") {
      const message = create(desc);
      violations.push(...applyQuery(desc, message, query, isTaken));
      if (violations.length === 0) writer.raw(toBinary(desc, message));
      if (maskField !== undefined && getField(message, maskField) !== undefined) isMaskGiven = true;
    }
    if (maskField !== undefined && json !== undefined && !isMaskGiven) {
      const isTop = bodyField === undefined;
      isMaskGiven = isTop && (json["updateMask"] ?? json["update_mask"] ?? null) !== null;
      const inner = isTop ? json : json[bodyField.jsonName];
      const paths = pathsOf(bodyField?.message ?? desc, isObject(inner ?? null) ? (inner as JsonObject) : {});
      if (!isMaskGiven)
        writeMask(
          writer,
          maskField,
          paths.filter((name) => name !== maskField.name),
        );
    }
    for (const { field, variable } of bindings) {
      const read = readScalarText(field.leaf, variableText(path, variable));
      if ("mustBe" in read) {
        violations.push({ field: field.jsonName, description: read.mustBe });
      } else {
        if (json !== undefined && violations.length === 0 && isNamed(json, field)) {
          const given = valueAt(fromBinary(desc, writer.finish().subarray(0, bodyLength)), field);
          if (isSet(given) && given !== read.value)
            violations.push({ field: field.jsonName, description: "differs from the path" });
        }
        writeField(writer, field, 0, read.value);
      }
    }
    if (violations.length > 0) throw badRequest(violations);
    return writer.finish();
  };
}

function bindVariable(desc: DescMessage, variable: Variable): PathBinding {
  const field = resolveFieldPath(desc, variable.fieldPath);
  if (field === undefined) throw new Error(`${desc.typeName} has no field ${variable.fieldPath.join(".")}`);
  if (field.leaf.fieldKind !== "scalar" && field.leaf.fieldKind !== "enum") {
    throw new Error(`the path gives ${field.jsonName}, which is not a single primitive`);
  }
  return { variable, field };
}

/** A field below its parents, from `depth` on. */
function writeField(writer: WireWriter, path: FieldPath, depth: number, value: unknown): void {
  const parent = path.parents[depth];
  if (parent !== undefined) {
    writer.tag(parent.number, 2);
    const place = writer.begin();
    writeField(writer, path, depth + 1, value);
    writer.end(place);
    return;
  }
  const { leaf } = path;
  if (!hasPresence(leaf) && isDefault(value)) return;
  if (leaf.scalar === undefined) {
    writer.tag(leaf.number, 0);
    writer.int32(value as number);
  } else {
    writer.tag(leaf.number, scalarWireType(leaf.scalar));
    writeScalar(writer, leaf.scalar, value);
  }
}

/** Whether the JSON may say something of the field. */
function isNamed(json: JsonObject, { parents, leaf }: FieldPath): boolean {
  const top = parents[0] ?? leaf;
  return Object.hasOwn(json, top.jsonName) || Object.hasOwn(json, top.name);
}

/** Whether a primitive is something else than the default that an absent field reads as. */
function isSet(value: unknown): boolean {
  return value !== undefined && !isDefault(value);
}

function bodyFieldOf(desc: DescMessage, name: string): DescField {
  const field = desc.fields.find((candidate) => candidate.name === name);
  if (field === undefined) throw new Error(`body names ${name}, which ${desc.typeName} does not have`);
  return field;
}

type BodyReader = (
  parts: RequestParts,
  writer: WireWriter,
  violations: Violation[],
) => JsonObject | undefined;

/** Gives the JSON as an object of the request's fields, when it is one. */
function compileBody(
  desc: DescMessage,
  { body: rule, registry, allowUnknown }: RequestRule,
  field: DescField | undefined,
): BodyReader {
  if (takesHttpBody(desc, rule)) return httpBodyReader(field);
  const fromJson: FromJson = rule === "" ? checkNoBody : compileFromJson(desc, { registry, allowUnknown });
  return ({ body }, writer, violations) => {
    const parsed = parseJson(body);
    if ("violation" in parsed) {
      violations.push(parsed.violation);
      return undefined;
    }
    if (parsed.value === null) {
      violations.push({ field: "body", description: "must not be null" });
      return undefined;
    }
    const json: JsonValue = field === undefined ? parsed.value : { [field.jsonName]: parsed.value };
    const faults = fromJson(json, writer);
    violations.push(...faults);
    return faults.length === 0 ? (json as JsonObject) : undefined;
  };
}

function httpBodyReader(field: DescField | undefined): BodyReader {
  return ({ body, contentType }, writer) => {
    const httpBody = { contentType, data: body };
    if (field === undefined) writeHttpBody(writer, httpBody);
    else writer.raw(writeHttpBodyField(field, httpBody));
    return undefined;
  };
}

/** A route without a body still takes "{}", which some clients send with every PUT and DELETE. */
function checkNoBody(json: JsonValue): Violation[] {
  if (json === null || typeof json !== "object" || Array.isArray(json)) {
    return [{ field: "body", description: "must be an object" }];
  }
  return Object.keys(json)
    .slice(0, 16)
    .map((key) => ({ field: key.slice(0, 100), description: "is not a known field" }));
}
