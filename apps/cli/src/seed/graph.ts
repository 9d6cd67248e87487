import { createHash } from "node:crypto";
import { createRandom } from "./random.ts";

/** A follow graph: `[a, b]` says that a follows b. */
export interface Graph {
  /** Node names in the order in which they first appear. */
  readonly nodes: readonly string[];
  readonly edges: readonly (readonly [string, string])[];
  /** Eight hexadecimal digits of the text's SHA-256: names of users carry it, so graphs do not mix. */
  readonly hash: string;
}

/** A line that is no edge. */
export class GraphError extends Error {
  constructor(line: number, text: string, reason: string) {
    super(`line ${line}: ${reason}: ${JSON.stringify(text.slice(0, 80))}`);
    this.name = "GraphError";
  }
}

/**
 * Reads an edge list: two whole numbers a line, apart by blanks, tabs or a comma; further columns
 * (weights) are ignored; `#` and `%` begin comments. Repeats are one edge; a self-loop names its node only.
 *
 * @throws GraphError for any other line
 */
export function parseGraph(text: string, undirected: boolean): Graph {
  const nodes = new Set<string>();
  const seen = new Set<string>();
  const edges: [string, string][] = [];
  function add(from: string, to: string): void {
    const key = `${from} ${to}`;
    if (from === to || seen.has(key)) return;
    seen.add(key);
    edges.push([from, to]);
  }
  text.split(/\r\n|\n|\r/).forEach((raw, index) => {
    const line = raw.replace(/[#%].*$/, "").trim();
    if (line === "") return;
    const [from, to] = line.split(/[\s,]+/);
    if (from === undefined || to === undefined) throw new GraphError(index + 1, raw, "an edge has two ends");
    for (const end of [from, to]) {
      if (!/^\d{1,15}$/.test(end))
        throw new GraphError(index + 1, raw, "an end is a whole number of up to 15 digits");
    }
    // 007 and 7 are one node.
    const [a, b] = [String(Number(from)), String(Number(to))];
    nodes.add(a).add(b);
    add(a, b);
    if (undirected) add(b, a);
  });
  const hash = createHash("sha256")
    .update(text)
    .update(undirected ? "undirected" : "directed");
  return { nodes: [...nodes], edges, hash: hash.digest("hex").slice(0, 8) };
}

/**
 * The edge list of a small power-law graph by preferential attachment (Barabási and Albert 1999): each
 * newcomer follows a few, the well-followed more likely, and is followed back one time in three.
 */
export function synthesizeGraph(users: number, seed: number): string {
  const random = createRandom(seed);
  const lines = [`# ${users} users, seed ${seed}`];
  const ends: number[] = [0];
  for (let node = 1; node < users; node += 1) {
    const follows = Math.min(node, 3 + Math.floor(random() * 12));
    const chosen = new Set<number>();
    while (chosen.size < follows) {
      const end = ends[Math.floor(random() * ends.length)] ?? 0;
      chosen.add(random() < 0.2 ? Math.floor(random() * node) : end);
    }
    for (const other of chosen) {
      lines.push(`${node} ${other}`);
      ends.push(other);
      if (random() < 1 / 3) lines.push(`${other} ${node}`);
    }
    ends.push(node);
  }
  return `${lines.join("\n")}\n`;
}
