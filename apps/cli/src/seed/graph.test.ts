import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseGraph, synthesizeGraph } from "./graph.ts";

describe("parseGraph", () => {
  it("takes CRLF, tabs, commas, comments, weights and id 0", () => {
    const graph = parseGraph("# a comment\r\n0\t1\r\n1,2 0.5\r\n\r\n2 0 # tail\r\n", false);
    expect(graph.edges).toEqual([
      ["0", "1"],
      ["1", "2"],
      ["2", "0"],
    ]);
    expect(graph.nodes).toEqual(["0", "1", "2"]);
  });

  it("makes repeats one edge and leaves self-loops out", () => {
    expect(parseGraph("1 2\n1 2\n3 3\n", false)).toMatchObject({
      edges: [["1", "2"]],
      nodes: ["1", "2", "3"],
    });
  });

  it("takes each edge both ways when undirected, once", () => {
    expect(parseGraph("1 2\n2 1\n", true).edges).toEqual([
      ["1", "2"],
      ["2", "1"],
    ]);
  });

  it.each(["1", "a b", "-1 2", "1 1234567890123456"])("refuses %j with its line", (line) => {
    expect(() => parseGraph(`1 2\n${line}\n`, false)).toThrow(/^line 2: /);
  });

  it("gives another hash to another file and another direction", () => {
    const hashes = [parseGraph("1 2\n", false), parseGraph("1 3\n", false), parseGraph("1 2\n", true)];
    expect(new Set(hashes.map(({ hash }) => hash)).size).toBe(3);
  });
});

describe("synthesizeGraph", () => {
  it("is the same for the same seed, without self-loops, for any size", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 80 }), fc.integer(), (users, seed) => {
        const text = synthesizeGraph(users, seed);
        expect(synthesizeGraph(users, seed)).toBe(text);
        const { nodes, edges } = parseGraph(text, false);
        expect(nodes.length).toBeLessThanOrEqual(users);
        expect(edges.every(([from, to]) => from !== to)).toBe(true);
      }),
      { numRuns: 50 },
    );
  });
});
