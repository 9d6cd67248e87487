import type { DescField, DescMessage } from "@bufbuild/protobuf";
import { hasCustomJsonRepresentation } from "@bufbuild/protobuf/wkt";
import type { Route } from "../routing/route-table.ts";
import { resolveFieldPath } from "../transcoding/field-path.ts";
import { isQueryField } from "../transcoding/query.ts";
import type { Schema, Schemas } from "./schemas.ts";

interface Parameter {
  readonly name: string;
  readonly in: "path" | "query";
  readonly required: boolean;
  readonly description?: string;
  readonly schema: Schema;
}

/** A route's path as OpenAPI has it, where a parameter is one segment, and those parameters. */
export interface PathOf {
  readonly path: string;
  readonly parameters: readonly Parameter[];
}

export function pathOf({ template, rpc }: Route, schemas: Schemas): PathOf {
  const parameters: Parameter[] = [];
  const segments = template.segments.map((segment, index) => {
    if (segment.kind === "literal") return segment.text;
    const variable = template.variables.find(
      ({ start, end }) => index >= start && (end === undefined || index < end),
    );
    const field = variable && resolveFieldPath(rpc.input, variable.fieldPath);
    const base = field?.jsonName ?? "segment";
    const name = variable?.single === true ? base : `${base}.${parameters.length + 1}`;
    const { description, ...schema }: Schema =
      variable?.single === true && field !== undefined ? schemas.ofField(field.leaf) : { type: "string" };
    const text = segment.kind === "rest" ? "All that is left of the path, slashes included." : description;
    parameters.push({
      name,
      in: "path",
      required: true,
      ...(typeof text === "string" ? { description: text } : {}),
      schema,
    });
    return `{${name}}`;
  });
  const verb = template.verb === undefined ? "" : `:${template.verb}`;
  return { path: `/${segments.join("/")}${verb}`, parameters };
}

/** How deep messages within messages are spelt out; they may lead back to themselves. */
const maxDepth = 3;

/** Every field that neither path nor body gives, as a query can: "page_size" as "pageSize", "post.id". */
export function queryParameters(route: Route, schemas: Schemas): readonly Parameter[] {
  const { rpc, template, body } = route;
  if (body === "*") return [];
  const taken = new Set(
    template.variables.map(({ fieldPath }) => resolveFieldPath(rpc.input, fieldPath)?.jsonName),
  );
  const visit = (message: DescMessage, prefix: string, depth: number): Parameter[] =>
    message.fields.flatMap((field): Parameter[] => {
      const name = prefix + field.jsonName;
      if (taken.has(name) || (prefix === "" && field.name === body)) return [];
      if (isBranch(field)) return depth === 0 ? [] : visit(field.message, `${name}.`, depth - 1);
      if (!isQueryField(field)) return [];
      const { description, ...schema } = schemas.ofField(field);
      return [
        {
          name,
          in: "query",
          required: false,
          ...(typeof description === "string" ? { description } : {}),
          schema,
        },
      ];
    });
  return visit(rpc.input, "", maxDepth);
}

function isBranch(field: DescField): field is DescField & { fieldKind: "message" } {
  return field.fieldKind === "message" && !hasCustomJsonRepresentation(field.message);
}
