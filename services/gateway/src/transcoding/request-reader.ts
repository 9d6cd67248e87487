import {
  create,
  fromJson,
  type DescField,
  type DescMessage,
  type Registry,
  type JsonValue,
  type Message,
} from "@bufbuild/protobuf";
import { badRequest } from "../errors/failure.ts";
import type { Violation } from "../errors/violation.ts";
import { variableText, type RequestPath } from "../routing/path.ts";
import type { Template, Variable } from "../routing/template.ts";
import { getField, leafParent, resolveFieldPath, setField, type FieldPath } from "./field-path.ts";
import { checkMessage } from "./json-check.ts";
import { parseJson } from "./json-text.ts";
import { applyQuery } from "./query.ts";
import { readScalarText } from "./scalar-text.ts";

export interface RequestParts {
  readonly path: RequestPath;
  /** Behind the question mark; "" for none. */
  readonly query: string;
  /** Empty for none. */
  readonly body: Buffer;
}

/** Makes the rpc's request. Throws INVALID_ARGUMENT with every faulty field. */
export type RequestReader = (parts: RequestParts) => Message;

interface PathBinding {
  readonly variable: Variable;
  readonly field: FieldPath;
}

/**
 * Compiles how a binding's requests are read. What the path gives, nothing else may give: the query is refused
 * when it names such a field, and the body when it says something else.
 *
 * Throws when the template or `body` names a field that is not there or has no such form.
 */
export function compileRequestReader(
  desc: DescMessage,
  rule: {
    readonly template: Template;
    /** Of the rule: "" for none, "*", or a field's name. */
    readonly body: string;
    readonly registry: Registry;
  },
): RequestReader {
  const bindings = rule.template.variables.map((variable) => bindVariable(desc, variable));
  const bodyField = rule.body === "" || rule.body === "*" ? undefined : bodyFieldOf(desc, rule.body);
  const readBody = compileBody(desc, rule.body, bodyField, rule.registry);
  const isTaken = ({ parents, leaf, jsonName }: FieldPath): boolean =>
    rule.body === "*" ||
    (bodyField !== undefined && (parents[0] ?? leaf) === bodyField) ||
    bindings.some(({ field }) => field.jsonName === jsonName);

  return ({ path, query, body }) => {
    const violations: Violation[] = [];
    const message = readBody(body, violations);
    violations.push(...applyQuery(desc, message, query, isTaken));
    for (const binding of bindings) {
      const fault = applyVariable(message, binding, variableText(path, binding.variable));
      if (fault !== undefined) violations.push({ field: binding.field.jsonName, description: fault });
    }
    if (violations.length > 0) throw badRequest(violations);
    return message;
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

function applyVariable(message: Message, { field }: PathBinding, text: string): string | undefined {
  const read = readScalarText(field.leaf, text);
  if ("mustBe" in read) return read.mustBe;
  const parent = leafParent(message, field);
  const given = getField(parent, field.leaf);
  if (isSet(given) && given !== read.value) return "differs from the path";
  setField(parent, field.leaf, read.value);
  return undefined;
}

/** Whether a primitive is something else than the default that an absent field reads as. */
function isSet(value: unknown): boolean {
  return value !== undefined && value !== "" && value !== 0 && value !== 0n && value !== false;
}

function bodyFieldOf(desc: DescMessage, name: string): DescField {
  const field = desc.fields.find((candidate) => candidate.name === name);
  if (field === undefined) throw new Error(`body names ${name}, which ${desc.typeName} does not have`);
  return field;
}

function compileBody(
  desc: DescMessage,
  rule: string,
  field: DescField | undefined,
  registry: Registry,
): (body: Buffer, violations: Violation[]) => Message {
  const options = { registry };
  return (body, violations) => {
    if (body.length === 0) return create(desc);
    const parsed = parseJson(body);
    if ("violation" in parsed) {
      violations.push(parsed.violation);
      return create(desc);
    }
    if (parsed.value === null) {
      violations.push({ field: "body", description: "must not be null" });
      return create(desc);
    }
    const json: JsonValue = field === undefined ? parsed.value : { [field.jsonName]: parsed.value };
    const faults = rule === "" ? checkNoBody(parsed.value) : checkMessage(desc, json, registry);
    violations.push(...faults);
    if (faults.length > 0 || rule === "") return create(desc);
    try {
      return fromJson(desc, json, options);
    } catch {
      violations.push({ field: "body", description: `must be a ${desc.name} in JSON` });
      return create(desc);
    }
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
