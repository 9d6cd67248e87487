import { getOption, hasOption, type DescMethod, type FileRegistry } from "@bufbuild/protobuf";
import { MethodOptions_IdempotencyLevel } from "@bufbuild/protobuf/wkt";
import { http } from "@chirrup/proto/google/api/annotations";
import type { HttpRule } from "@chirrup/proto/google/api/http";
import { compileRequestReader, takesHttpBody, type RequestReader } from "../transcoding/request-reader.ts";
import { compileResponseWriter, type ResponseWriter } from "../transcoding/response-writer.ts";
import { readNeeds, type Needs } from "./needs.ts";
import { createRouteTree, type RouteTree } from "./route-tree.ts";
import { parseTemplate, type Template } from "./template.ts";

/** One binding of an rpc to a method and a path. */
export interface Route {
  /** "GET /api/v1/users/{user_id}": what logs, metrics and rate rules call it. */
  readonly name: string;
  readonly httpMethod: string;
  readonly template: Template;
  readonly rpc: DescMethod;
  /** "/package.Service/Method". */
  readonly rpcPath: string;
  readonly needs: Needs;
  readonly readRequest: RequestReader;
  /** Of its rule: "" for none, "*", or the name of a field. */
  readonly body: string;
  /** Of its rule: "" for the whole response, or the name of a field. */
  readonly responseBody: string;
  /** Whether its body may be of any type. */
  readonly takesAnyType: boolean;
  /** Whether a second run does no harm: a GET, or an rpc that says so by its idempotency_level. */
  readonly isRepeatable: boolean;
  /** Whether the rpc answers with a stream. */
  readonly isStream: boolean;
  readonly response: ResponseWriter;
}

export interface RouteTable {
  readonly routes: readonly Route[];
  readonly find: RouteTree<Route>["find"];
}

export interface RouteTableOptions {
  readonly defaultDeadlineMs: number;
  /** Names of the configured cookies. */
  readonly cookieNames: ReadonlySet<string>;
  /** Every route is public, whatever the protos say. Default: false. */
  readonly everybodyMayCall?: boolean;
}

/**
 * Every method with a `google.api.http` rule, and nothing else, becomes reachable. Throws an Error that
 * names the method when a rule cannot be served.
 */
export function buildRouteTable(descriptors: FileRegistry, options: RouteTableOptions): RouteTable {
  const routes: Route[] = [];
  const tree = createRouteTree<Route>();
  for (const rpc of methodsWithRules(descriptors)) {
    const rule = getOption(rpc, http);
    for (const binding of [rule, ...rule.additionalBindings]) {
      if (binding !== rule && binding.additionalBindings.length > 0) {
        throw new Error(`${rpc.toString()}: additional_bindings must not be nested`);
      }
      const route = compileRoute(rpc, binding, descriptors, options);
      tree.add(route.httpMethod, route.template, route);
      routes.push(route);
    }
  }
  return { routes, find: tree.find };
}

function* methodsWithRules(descriptors: FileRegistry): Generator<DescMethod> {
  for (const file of descriptors.files) {
    for (const service of file.services) {
      for (const rpc of service.methods) {
        if (!hasOption(rpc, http)) continue;
        if (rpc.methodKind !== "unary" && rpc.methodKind !== "server_streaming") {
          throw new Error(
            `${rpc.toString()}: a method whose requests are a stream cannot have a google.api.http rule`,
          );
        }
        yield rpc;
      }
    }
  }
}

function compileRoute(
  rpc: DescMethod,
  rule: HttpRule,
  descriptors: FileRegistry,
  options: RouteTableOptions,
): Route {
  const { httpMethod, path } = patternOf(rpc, rule);
  const template = parseTemplate(path);
  try {
    const own = readNeeds(rpc, options);
    const needs = options.everybodyMayCall === true ? { ...own, isPublic: true } : own;
    return {
      name: `${httpMethod} ${template.source}`,
      httpMethod,
      template,
      rpc,
      rpcPath: `/${rpc.parent.typeName}/${rpc.name}`,
      needs,
      readRequest: compileRequestReader(rpc.input, {
        template,
        body: rule.body,
        registry: descriptors,
        allowUnknown: needs.json.allowUnknown,
        fillsMask: httpMethod === "PATCH",
      }),
      body: rule.body,
      responseBody: rule.responseBody,
      takesAnyType: takesHttpBody(rpc.input, rule.body),
      isRepeatable:
        httpMethod === "GET" || rpc.idempotency !== MethodOptions_IdempotencyLevel.IDEMPOTENCY_UNKNOWN,
      isStream: rpc.methodKind === "server_streaming",
      response: compileResponseWriter(rpc.output, {
        responseBody: rule.responseBody,
        registry: descriptors,
        form: needs.json,
      }),
    };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`${rpc.parent.typeName}.${rpc.name}, ${httpMethod} ${path}: ${reason}`, { cause: error });
  }
}

function patternOf(rpc: DescMethod, { pattern, body }: HttpRule): { httpMethod: string; path: string } {
  switch (pattern.case) {
    case "get":
    case "delete":
    case "put":
    case "post":
    case "patch":
      if (pattern.case === "get" && body !== "") throw new Error(`${rpc.toString()}: a get rule has no body`);
      return { httpMethod: pattern.case.toUpperCase(), path: pattern.value };
    case "custom":
      if (!/^(\*|[A-Z]+)$/.test(pattern.value.kind)) {
        throw new Error(
          `${rpc.toString()}: "${pattern.value.kind}" is not an HTTP method in upper case, or *`,
        );
      }
      return { httpMethod: pattern.value.kind, path: pattern.value.path };
    case undefined:
      throw new Error(`${rpc.toString()}: the google.api.http rule has no pattern`);
  }
}
