import type { NumberedGraph } from "../../apps/cli/src/seed/bulk/power-law.ts";
import { type Graph } from "../../apps/cli/src/seed/graph.ts";

/** A graph by the numbers of its nodes. */
export function numbered({ nodes, edges }: Graph): NumberedGraph {
  const numbers = new Map(nodes.map((node, number) => [node, number]));
  const followers = nodes.map((): number[] => []);
  for (const [from, to] of edges) followers[numbers.get(to) ?? 0]?.push(numbers.get(from) ?? 0);
  return {
    users: nodes.length,
    followers: followers.map((some) => Int32Array.from(some).sort()),
    edges: edges.length,
  };
}
