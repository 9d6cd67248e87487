import { splitPath, splitVerb, type RequestPath } from "./path.ts";
import type { Template } from "./template.ts";

/** What a tree says about a request. */
export type Found<T> =
  | { readonly kind: "route"; readonly route: T; readonly path: RequestPath }
  /** The path exists, the method does not. */
  | { readonly kind: "other-methods"; readonly methods: readonly string[] }
  | { readonly kind: "nothing" }
  /** The percent-encoding is broken. */
  | { readonly kind: "malformed" };

export interface RouteTree<T> {
  /** Throws when a template that matches the same paths is there for the same method. */
  add(method: string, template: Template, route: T): void;
  /** The most specific route for a method and a path without its query. */
  find(method: string, path: string): Found<T>;
}

interface Node<T> {
  readonly literals: Map<string, Node<T>>;
  one: Node<T> | undefined;
  /** What ends here, by verb ("" for none), then by method. */
  readonly here: Map<string, Methods<T>>;
  /** What ends here with `**`. */
  readonly rest: Map<string, Methods<T>>;
}

type Methods<T> = Map<string, { readonly source: string; readonly route: T }>;

/**
 * Routes by path and method.
 *
 * Which of several templates wins: one with a verb that fits, before one without; then, segment by segment
 * from the left, a literal before `*` before `**`. A template without the request's method does not take
 * part, and the method `*` of a custom rule stands for all that the template does not name. HEAD is
 * answered by GET.
 */
export function createRouteTree<T>(): RouteTree<T> {
  const root = createNode<T>();

  return {
    add(method, { source, segments, verb = "" }, route) {
      let node = root;
      let isRest = false;
      for (const segment of segments) {
        if (segment.kind === "rest") isRest = true;
        else if (segment.kind === "one") node = node.one ??= createNode<T>();
        else node = getOrAdd(node.literals, segment.text, () => createNode<T>());
      }
      const methods = getOrAdd(isRest ? node.rest : node.here, verb, (): Methods<T> => new Map());
      const rival = methods.get(method);
      if (rival !== undefined)
        throw new Error(`${method} ${source} matches the same paths as ${rival.source}`);
      methods.set(method, { source, route });
    },

    find(method, text) {
      const path = splitPath(text);
      if (path === undefined) return { kind: text.startsWith("/") ? "malformed" : "nothing" };
      const others = new Set<string>();
      const withVerb = splitVerb(path);
      if (withVerb !== undefined && withVerb.verb !== "") {
        const route = search(root, withVerb.path.decoded, 0, withVerb.verb, method, others);
        if (route !== undefined) return { kind: "route", route: route.route, path: withVerb.path };
      }
      const route = search(root, path.decoded, 0, "", method, others);
      if (route !== undefined) return { kind: "route", route: route.route, path };
      return others.size === 0
        ? { kind: "nothing" }
        : { kind: "other-methods", methods: [...others].toSorted() };
    },
  };
}

function search<T>(
  node: Node<T>,
  segments: readonly string[],
  depth: number,
  verb: string,
  method: string,
  others: Set<string>,
): { readonly route: T } | undefined {
  const segment = segments[depth];
  if (segment === undefined) {
    return pick(node.here.get(verb), method, others) ?? pick(node.rest.get(verb), method, others);
  }
  const literal = node.literals.get(segment);
  if (literal !== undefined) {
    const found = search(literal, segments, depth + 1, verb, method, others);
    if (found !== undefined) return found;
  }
  if (node.one !== undefined && segment !== "") {
    const found = search(node.one, segments, depth + 1, verb, method, others);
    if (found !== undefined) return found;
  }
  return pick(node.rest.get(verb), method, others);
}

function pick<T>(
  methods: Methods<T> | undefined,
  method: string,
  others: Set<string>,
): { readonly route: T } | undefined {
  if (methods === undefined) return undefined;
  const found =
    methods.get(method) ?? (method === "HEAD" ? methods.get("GET") : undefined) ?? methods.get("*");
  if (found === undefined) {
    for (const other of methods.keys()) others.add(other);
    if (methods.has("GET")) others.add("HEAD");
  }
  return found;
}

function createNode<T>(): Node<T> {
  return { literals: new Map(), one: undefined, here: new Map(), rest: new Map() };
}

function getOrAdd<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  const present = map.get(key);
  if (present !== undefined) return present;
  const made = make();
  map.set(key, made);
  return made;
}
