import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { variableText } from "./path.ts";
import { createRouteTree } from "./route-tree.ts";
import { parseTemplate, type Template } from "./template.ts";

/*
 * The oracle: what google/api/http.proto says of templates, read from its grammar and in no way of the gateway's.
 *
 *     Template = "/" Segments [ Verb ] ;
 *     Segments = Segment { "/" Segment } ;
 *     Segment  = "*" | "**" | LITERAL | Variable ;
 *     Variable = "{" FieldPath [ "=" Segments ] "}" ;
 *     Verb     = ":" LITERAL ;
 */
type Node =
  | { readonly kind: "*" }
  | { readonly kind: "**" }
  | { readonly kind: "literal"; readonly text: string }
  | { readonly kind: "variable"; readonly name: string; readonly nodes: readonly Node[] };

interface Tree {
  readonly nodes: readonly Node[];
  readonly verb: string | undefined;
}

function print({ nodes, verb }: Tree): string {
  const text = (node: Node): string => {
    if (node.kind === "literal") return node.text;
    if (node.kind !== "variable") return node.kind;
    const inner = node.nodes.map(text).join("/");
    return inner === "*" ? `{${node.name}}` : `{${node.name}=${inner}}`;
  };
  return `/${nodes.map(text).join("/")}${verb === undefined ? "" : `:${verb}`}`;
}

type Bindings = Readonly<Record<string, string>>;

/** Takes segments from the front for the nodes; gives what was taken and what is left, or undefined. */
function take(
  nodes: readonly Node[],
  segments: readonly string[],
  bindings: Record<string, string>,
): readonly string[] | undefined {
  let left = segments;
  for (const node of nodes) {
    const [first] = left;
    if (node.kind === "**") return [];
    if (node.kind === "variable") {
      const before = left;
      const after = take(node.nodes, left, bindings);
      if (after === undefined) return undefined;
      bindings[node.name] = valueOf(node.nodes, before.slice(0, before.length - after.length));
      left = after;
      continue;
    }
    if (first === undefined || first === "") return undefined;
    if (node.kind === "literal" && decodeURIComponent(first) !== node.text) return undefined;
    left = left.slice(1);
  }
  return left;
}

/** "If a variable contains exactly one path segment" all is decoded, else all but "%2F" and "%2f". */
function valueOf([only, ...others]: readonly Node[], taken: readonly string[]): string {
  const isSingle = others.length === 0 && only?.kind !== "**";
  const text = taken.join("/");
  return isSingle
    ? decodeURIComponent(text)
    : text
        .replaceAll(/%2f/gi, (slash) => slash.replace("%", "%25"))
        .replaceAll(/(?:%[0-9a-f]{2})+/gi, decodeURIComponent);
}

/** What a template binds of a path, or undefined when it does not match. */
function match({ nodes, verb }: Tree, path: string): Bindings | undefined {
  if (verb !== undefined && !path.endsWith(`:${verb}`)) return undefined;
  const bare = verb === undefined ? path : path.slice(0, -verb.length - 1);
  const bindings: Record<string, string> = {};
  const left = take(nodes, bare.slice(1).split("/"), bindings);
  return left?.length === 0 ? bindings : undefined;
}

/** For a choice between templates: one with a verb; then from the left a literal before * before **. */
function rank({ nodes, verb }: Tree): string {
  const kinds = nodes.flatMap((node) => (node.kind === "variable" ? node.nodes : [node]));
  const place: Readonly<Record<string, string>> = { literal: "0", "*": "1", "**": "2" };
  return `${verb === undefined ? 1 : 0}${kinds.map(({ kind }) => place[kind]).join("")}`;
}

const literal = fc
  .constantFrom("a", "b", "v1", "x-y_z.~", "$&'()+,;=@!")
  .map((text): Node => ({ kind: "literal", text }));
const one = fc.constant<Node>({ kind: "*" });
const plain = fc.oneof({ arbitrary: literal, weight: 3 }, { arbitrary: one, weight: 1 });

const templates: fc.Arbitrary<Tree> = fc
  .record({
    parts: fc.array(
      fc.oneof(
        plain.map((node) => [node]),
        fc.array(plain, { minLength: 1, maxLength: 3 }),
      ),
      { minLength: 1, maxLength: 4 },
    ),
    named: fc.array(fc.boolean(), { minLength: 5, maxLength: 5 }),
    end: fc.option(fc.tuple(fc.array(plain, { maxLength: 2 }), fc.boolean()), { nil: undefined }),
    verb: fc.option(fc.constantFrom("go", "stop"), { nil: undefined }),
  })
  .map(({ parts, named, end, verb }): Tree => {
    const nodes = parts.flatMap((part, i): readonly Node[] =>
      named[i] === true ? [{ kind: "variable", name: `f${i}.g`, nodes: part }] : part,
    );
    if (end === undefined) return { nodes, verb };
    const [before, isNamed] = end;
    const tail: Node[] = [...before, { kind: "**" }];
    return {
      nodes: [...nodes, ...(isNamed ? [{ kind: "variable" as const, name: "rest", nodes: tail }] : tail)],
      verb,
    };
  });

/** As a client expands a value: all but the unreserved is percent-encoded, between slashes where there are several. */
const encode = (text: string): string =>
  encodeURIComponent(text).replaceAll(
    /[!'()*]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
  );

const value = fc
  .string({ unit: "grapheme", minLength: 1, maxLength: 6 })
  .filter((text) => text.isWellFormed());

interface Expanded {
  readonly path: string;
  readonly bindings: Bindings;
}

function expand(tree: Tree, next: () => string): Expanded {
  const bindings: Record<string, string> = {};
  const texts = (nodes: readonly Node[], allowsSlash: boolean): string[] =>
    nodes.flatMap((node): string[] => {
      if (node.kind === "literal") return [node.text];
      if (node.kind === "*") return [allowsSlash ? next() : next().replaceAll("/", "")];
      if (node.kind === "**") return [next(), next()].map((text) => text.replaceAll("/", ""));
      const inner = texts(node.nodes, node.nodes.length === 1);
      bindings[node.name] = inner.join("/");
      return inner;
    });
  const segments = texts(tree.nodes, true).map(encode);
  return { path: `/${segments.join("/")}${tree.verb === undefined ? "" : `:${tree.verb}`}`, bindings };
}

const ugly = fc.constantFrom(
  "a",
  "b",
  "v1",
  "%61",
  "a%2Fb",
  "a%2fb",
  "%25",
  "",
  "a:go",
  "a%3Ago",
  "%C3%A9",
  "é",
  ":",
  "x-y_z.~",
);
const paths = fc
  .tuple(
    fc.array(ugly, { minLength: 1, maxLength: 7 }),
    fc.constantFrom("", "", ":go", ":stop", ":other", ":"),
  )
  .map(([segments, verb]) => `/${segments.join("/")}${verb}`);

const bound = (template: Template, path: Parameters<typeof variableText>[0]): Bindings =>
  Object.fromEntries(
    template.variables.map((variable) => [variable.fieldPath.join("."), variableText(path, variable)]),
  );

describe("templates and paths, by the grammar of google/api/http.proto", () => {
  it("give back every value that a client expanded", () => {
    fc.assert(
      fc.property(templates, fc.infiniteStream(value), (tree, values) => {
        const { path, bindings } = expand(tree, () => values.next().value ?? "v");
        fc.pre(!path.includes("//"));
        const template = parseTemplate(print(tree));
        const routes = createRouteTree<Template>();
        routes.add("GET", template, template);
        const found = routes.find("GET", path);
        expect(found.kind === "route" ? bound(template, found.path) : found.kind).toEqual(bindings);
        expect(match(tree, path)).toEqual(bindings);
      }),
      { numRuns: 2_000 },
    );
  });

  it("match and bind as the oracle says, whatever the path", () => {
    const choices = fc.uniqueArray(templates, {
      minLength: 1,
      maxLength: 8,
      // Two that match the same are refused, whatever their names are.
      selector: (tree) =>
        `${rank(tree)} ${JSON.stringify(tree.nodes).replaceAll(/"name":"[^"]*"/g, "")} ${print(tree).replaceAll(/\{[^=}]*=?|\}/g, "")}`,
    });
    fc.assert(
      fc.property(choices, fc.array(paths, { maxLength: 20 }), (trees, asked) => {
        const routes = createRouteTree<{ readonly tree: Tree; readonly template: Template }>();
        const added = trees.filter((tree) => {
          try {
            const template = parseTemplate(print(tree));
            routes.add("GET", template, { tree, template });
            return true;
          } catch (error) {
            // Only for one that matches the same paths as one before it.
            if (!String(error).includes("matches the same paths")) throw error;
            return false;
          }
        });
        for (const path of asked) {
          const [best] = added
            .filter((tree) => match(tree, path) !== undefined)
            .toSorted((a, b) => (rank(a) < rank(b) ? -1 : 1));
          const found = routes.find("GET", path);
          const ours =
            found.kind === "route" ? [print(found.route.tree), bound(found.route.template, found.path)] : [];
          expect({ path, ours }).toEqual({
            path,
            ours: best === undefined ? [] : [print(best), match(best, path)],
          });
        }
      }),
      { numRuns: 2_000 },
    );
  });
});
