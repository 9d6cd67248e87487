import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { variableText } from "./path.ts";
import { createRouteTree } from "./route-tree.ts";
import { parseTemplate, type Template } from "./template.ts";

/** A template as a regular expression over decoded segments, with a rank that is compared as text: the reference. */
interface Reference {
  readonly template: Template;
  readonly pattern: RegExp;
  readonly rank: string;
}

const separator = "/";

function referenceOf(template: Template): Reference {
  const parts = template.segments.map((segment) => {
    if (segment.kind === "literal") return `/${segment.text}`;
    return segment.kind === "one" ? "/[^/]+" : "(?:/[^/]*)*";
  });
  const ranks = template.segments.map(({ kind }) => ({ literal: "0", one: "1", rest: "2" })[kind]).join("");
  return {
    template,
    pattern: new RegExp(`^${parts.join("")}${template.verb === undefined ? "" : `:${template.verb}`}$`),
    // A verb first; then, from the left, a literal before * before **, and an end before **.
    rank: `${template.verb === undefined ? 1 : 0}${ranks}`,
  };
}

const word = fc.constantFrom("a", "b", "c");
const segment = fc.oneof({ arbitrary: word, weight: 3 }, { arbitrary: fc.constant("*"), weight: 2 });
const templateText = fc
  .tuple(
    fc.array(segment, { minLength: 1, maxLength: 4 }),
    fc.boolean(),
    fc.option(fc.constantFrom("go", "stop")),
  )
  .map(([segments, hasRest, verb]) => {
    const all = hasRest ? [...segments, "**"] : segments;
    return `/${all.join(separator)}${verb === null ? "" : `:${verb}`}`;
  });
const pathText = fc
  .tuple(
    fc.array(fc.constantFrom("a", "b", "c", "d", "", "a:go"), { minLength: 1, maxLength: 6 }),
    fc.constantFrom("", "", ":go", ":stop", ":other", ":"),
  )
  .map(([segments, verb]) => `/${segments.join(separator)}${verb}`);

describe("a route tree", () => {
  it("finds what the most specific matching template of a list is", () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(templateText, { maxLength: 12 }),
        fc.array(pathText, { maxLength: 20 }),
        (sources, paths) => {
          const tree = createRouteTree<string>();
          const references: Reference[] = [];
          for (const source of sources) {
            const template = parseTemplate(source);
            tree.add("GET", template, source);
            references.push(referenceOf(template));
          }
          for (const path of paths) {
            const [expected] = references
              .filter(({ pattern }) => pattern.test(path))
              .toSorted((a, b) => (a.rank < b.rank ? -1 : 1));
            const found = tree.find("GET", path);
            const route = found.kind === "route" ? found.route : undefined;
            expect({ path, route }).toEqual({ path, route: expected?.template.source });
          }
        },
      ),
      { numRuns: 2_000 },
    );
  });

  it("gives variables the text that expands to the path", () => {
    const value = fc.string({ unit: "grapheme", minLength: 1 });
    const isText = (text: string): boolean => text.isWellFormed();
    fc.assert(
      fc.property(value.filter(isText), value.filter(isText), (one, two) => {
        const tree = createRouteTree<Template>();
        const template = parseTemplate("/v1/{first}/x/{second}");
        tree.add("GET", template, template);
        const found = tree.find("GET", `/v1/${encodeURIComponent(one)}/x/${encodeURIComponent(two)}`);
        if (found.kind !== "route") throw new Error(found.kind);
        expect(template.variables.map((variable) => variableText(found.path, variable))).toEqual([one, two]);
      }),
    );
  });

  it("refuses two templates that match the same paths by the same method", () => {
    const tree = createRouteTree<number>();
    tree.add("GET", parseTemplate("/a/{x}"), 1);
    tree.add("POST", parseTemplate("/a/{y}"), 2);
    tree.add("GET", parseTemplate("/a/{y}:go"), 3);
    tree.add("GET", parseTemplate("/a/**"), 4);
    expect(() => tree.add("GET", parseTemplate("/a/{y=*}"), 5)).toThrow(/same paths as \/a\/\{x\}/);
  });

  it("passes over a template that lacks the method", () => {
    const tree = createRouteTree<string>();
    tree.add("POST", parseTemplate("/users/search"), "search");
    tree.add("GET", parseTemplate("/users/{id}"), "get");
    expect(tree.find("GET", "/users/search")).toMatchObject({ route: "get" });
    expect(tree.find("HEAD", "/users/search")).toMatchObject({ route: "get" });
    expect(tree.find("POST", "/users/search")).toMatchObject({ route: "search" });
    expect(tree.find("PUT", "/users/search")).toEqual({
      kind: "other-methods",
      methods: ["GET", "HEAD", "POST"],
    });
    expect(tree.find("PUT", "/users")).toEqual({ kind: "nothing" });
  });

  it("lets a rule for all methods stand for those that are not named", () => {
    const tree = createRouteTree<string>();
    tree.add("*", parseTemplate("/any"), "any");
    tree.add("GET", parseTemplate("/any"), "get");
    expect(tree.find("PUT", "/any")).toMatchObject({ route: "any" });
    expect(tree.find("GET", "/any")).toMatchObject({ route: "get" });
  });
});
