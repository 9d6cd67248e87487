import { describe, expect, it } from "vitest";
import { drawAuthors, powerLawGraph } from "./power-law.ts";

describe("a power-law graph", () => {
  const graph = powerLawGraph(2_000, 1_000, 7);

  it("gives the first author the most followers, and few to most", () => {
    const counts = graph.followers.map(({ length }) => length);
    expect(counts[0]).toBe(1_000);
    expect(counts.toSorted((a, b) => b - a)).toEqual(counts);
    expect(counts.filter((count) => count < 20).length).toBeGreaterThan(1_500);
    expect(graph.edges).toBe(counts.reduce((sum, count) => sum + count, 0));
  });

  it("has nobody follow twice, or themselves", () => {
    for (const [author, followers] of graph.followers.entries()) {
      expect(new Set(followers).size).toBe(followers.length);
      expect(followers.includes(author)).toBe(false);
    }
  });

  it("is the same for the same numbers", () => {
    expect(powerLawGraph(2_000, 1_000, 7)).toEqual(graph);
    expect(drawAuthors(100, 50, 3)).toEqual(drawAuthors(100, 50, 3));
  });
});
