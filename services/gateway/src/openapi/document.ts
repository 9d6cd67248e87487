import type { DescMessage, FileRegistry } from "@bufbuild/protobuf";
import type { RuleIndex } from "../limits/rules.ts";
import type { Route } from "../routing/route-table.ts";
import { isHttpBody } from "../transcoding/http-body.ts";
import { isWithoutBody } from "../transcoding/success.ts";
import { readComments, type Comments } from "./comments.ts";
import { pathOf, queryParameters, type PathOf } from "./parameters.ts";
import { createSchemas, statusSchema, type Schema, type Schemas } from "./schemas.ts";

/** Of the gateway file. */
export interface OpenApiSettings {
  readonly title: string;
  readonly version: string;
  readonly description?: string | undefined;
  readonly license?: string | undefined;
}

export interface OpenApiOptions {
  readonly registry: FileRegistry;
  readonly routes: readonly Route[];
  readonly rules: RuleIndex;
  readonly settings: OpenApiSettings;
  /** The name of the cookie that carries the access token; undefined for none. */
  readonly accessCookie: string | undefined;
  /** Whether callers get consistency tokens. */
  readonly consistency: boolean;
}

/** HTTP methods that OpenAPI has a place for. */
const methods = new Set(["GET", "PUT", "POST", "DELETE", "PATCH", "OPTIONS", "HEAD", "TRACE"]);

/** Describes the routes by OpenAPI 3.1. Comments of the protos become descriptions. */
export function describeRoutes(options: OpenApiOptions): object {
  const { registry, routes, settings, accessCookie } = options;
  const comments = readComments(registry);
  const schemas = createSchemas(comments, { protoNames: false });
  const originals = createSchemas(comments, { protoNames: true });
  const paths: Record<string, Record<string, object>> = {};
  const shapes = new Map<string, PathOf>();
  const ids = new Map<string, number>();
  for (const route of routes) {
    if (!methods.has(route.httpMethod)) continue;
    const own = route.needs.json.protoNames ? originals : schemas;
    const { path, parameters } = named(pathOf(route, own), shapes);
    const base = `${route.rpc.parent.name}_${route.rpc.name}`;
    const count = (ids.get(base) ?? 0) + 1;
    ids.set(base, count);
    const operation = {
      operationId: count === 1 ? base : `${base}_${count}`,
      ...operationOf(route, own, comments, options),
      parameters: [
        ...parameters,
        ...queryParameters(route, own),
        ...(options.consistency ? [consistencyParameter] : []),
      ],
    };
    (paths[path] ??= {})[route.httpMethod.toLowerCase()] = operation;
  }
  const services = [...new Set(routes.map(({ rpc }) => rpc.parent))];
  return {
    openapi: "3.1.0",
    info: {
      title: settings.title,
      version: settings.version,
      ...(settings.description === undefined ? {} : { description: settings.description }),
      ...(settings.license === undefined
        ? {}
        : { license: { name: settings.license, identifier: settings.license } }),
    },
    servers: [{ url: "/" }],
    security: securityOf(accessCookie),
    tags: services.map((service) => ({
      name: service.name,
      description: comments(service) || service.typeName,
    })),
    paths,
    components: {
      securitySchemes: {
        bearer: { type: "http", scheme: "bearer" },
        ...(accessCookie === undefined
          ? {}
          : { cookie: { type: "apiKey", in: "cookie", name: accessCookie } }),
      },
      schemas: { ...schemas.components, ...originals.components, "google.rpc.Status": statusSchema },
    },
  };
}

/**
 * OpenAPI has one place for all methods of a path, whatever its parameters are called: they are called there as by the route
 * that came first.
 */
function named(own: PathOf, shapes: Map<string, PathOf>): PathOf {
  const shape = own.path.replaceAll(/\{[^}]*\}/g, "{}");
  const first = shapes.get(shape) ?? own;
  shapes.set(shape, first);
  const names = first.parameters.map(({ name }) => name);
  return {
    path: first.path,
    parameters: own.parameters.map((parameter, i) => ({ ...parameter, name: names[i] ?? parameter.name })),
  };
}

function securityOf(accessCookie: string | undefined): object[] {
  return accessCookie === undefined ? [{ bearer: [] }] : [{ bearer: [] }, { cookie: [] }];
}

function operationOf(route: Route, schemas: Schemas, comments: Comments, options: OpenApiOptions): object {
  const { rpc, needs } = route;
  const text = comments(rpc);
  const limits = options.rules
    .of(route)
    .all.map(({ name, key, limit, burst, windowMs }) => ({ name, key, limit, burst, windowMs }));
  return {
    tags: [rpc.parent.name],
    summary: summaryOf(text) || rpc.name,
    ...(text === "" ? {} : { description: text }),
    ...(needs.isPublic ? { security: [] } : {}),
    ...(rpc.proto.options?.deprecated === true ? { deprecated: true } : {}),
    ...requestBodyOf(route, schemas),
    responses: {
      ...successesOf(route, successOf(route, schemas, options.consistency)),
      ...failures(needs.isPublic, limits.length > 0),
    },
    "x-cost": needs.cost,
    ...(needs.deadlineMs === undefined ? {} : { "x-deadline-ms": needs.deadlineMs }),
    "x-rate-limits": limits,
  };
}

const longestSummary = 120;

/** The first sentence; of a long one the words that fit. */
function summaryOf(text: string): string {
  const [sentence = ""] = text.replaceAll(/\s+/g, " ").split(/\.(?: |$)/);
  if (sentence.length <= longestSummary) return sentence;
  return `${sentence.slice(0, sentence.lastIndexOf(" ", longestSummary - 2))} …`;
}

function requestBodyOf({ rpc, body, takesAnyType, httpMethod }: Route, schemas: Schemas): object {
  if (body === "" || httpMethod === "GET") return {};
  return {
    requestBody: {
      // None is read as an empty object.
      required: false,
      content: takesAnyType
        ? { "*/*": {} }
        : { "application/json": { schema: bodySchema(rpc.input, body, schemas) } },
    },
  };
}

function bodySchema(input: DescMessage, body: string, schemas: Schemas): Schema {
  const field = input.fields.find(({ name }) => name === body);
  return field === undefined ? schemas.of(input) : schemas.ofField(field);
}

function successOf(
  { rpc, response, isStream, responseBody, httpMethod }: Route,
  schemas: Schemas,
  consistency: boolean,
): Described {
  if (response.isRaw) return { description: "A body of its own type.", content: { "*/*": {} } };
  const schema = responseSchema(rpc.output, responseBody, schemas);
  if (!isStream)
    return {
      description: "Success.",
      headers: { ...rateHeaders, ...(consistency && httpMethod !== "GET" ? consistencyHeader : {}) },
      content: { "application/json": { schema } },
    };
  const line = {
    oneOf: [
      { type: "object", required: ["result"], properties: { result: schema } },
      { type: "object", required: ["error"], properties: { error: statusRef } },
    ],
  };
  return {
    description: "A stream: one object in each line, or one event for each message.",
    content: {
      "application/x-ndjson": { schema: line },
      "text/event-stream": { schema: { type: "string" } },
    },
  };
}

interface Described {
  readonly description: string;
  readonly headers?: object;
  readonly content?: object;
}

/** By the status that the route declares, and any other that its service may name. */
function successesOf({ needs: { success } }: Route, described: Described): object {
  if (success === undefined) return { "200": described };
  const { content, ...bare } = described;
  const headers = { ...described.headers, ...(success.hasLocation ? locationHeader : {}) };
  return {
    [success.status]: { ...(isWithoutBody(success.status) ? bare : described), headers },
    ...(success.isFromService
      ? { "2XX": { ...bare, description: "Another success, which the service names.", content } }
      : {}),
  };
}

const locationHeader = {
  Location: { schema: { type: "string" }, description: "The path of what was made." },
};

function responseSchema(output: DescMessage, responseBody: string, schemas: Schemas): Schema {
  const field = output.fields.find(({ name }) => name === responseBody);
  if (field !== undefined) return schemas.ofField(field);
  return isHttpBody(output) ? {} : schemas.of(output);
}

const statusRef: Schema = { $ref: "#/components/schemas/google.rpc.Status" };

const consistencyParameter = {
  name: "Consistency-Token",
  in: "header",
  required: false,
  schema: { type: "string" },
  description:
    "What the last answer to a write had in the header of this name: the answer then shows that write, whichever copy of the data it comes from. Browsers need not: they keep it in cookies.",
};

const consistencyHeader = {
  "Consistency-Token": {
    schema: { type: "string" },
    description:
      "Stands for what the caller has written, for a minute. To be sent back with the caller's next requests.",
  },
};

const rateHeaders = {
  RateLimit: {
    schema: { type: "string" },
    description: "What is left of the tightest limit, and when it is full.",
  },
  "RateLimit-Policy": {
    schema: { type: "string" },
    description: "That limit: its tokens and its window in seconds.",
  },
};

function failures(isPublic: boolean, isLimited: boolean): object {
  const failure = (description: string, headers?: object): object => ({
    description,
    ...(headers === undefined ? {} : { headers }),
    content: {
      "application/json": { schema: statusRef },
      "application/problem+json": { schema: { type: "object" } },
    },
  });
  const retryAfter = { "Retry-After": { schema: { type: "integer" }, description: "In seconds." } };
  return {
    "400": failure("A field is wrong: google.rpc.BadRequest names each."),
    ...(isPublic ? {} : { "401": failure("No access token, or one that is not valid.") }),
    ...(isLimited ? { "429": failure("Too many requests.", { ...retryAfter, ...rateHeaders }) } : {}),
    "503": failure("Unavailable, or too many requests at once.", retryAfter),
    default: failure("Any other failure."),
  };
}
