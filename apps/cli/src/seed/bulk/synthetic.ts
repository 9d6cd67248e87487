import { createApiClient } from "../../api/client.ts";
import { openAccount } from "../accounts.ts";
import { loadInBulk } from "./load.ts";
import { powerLawGraph } from "./power-law.ts";

export interface SyntheticOptions {
  readonly gatewayUrl: string;
  readonly databases: Readonly<Record<"user" | "follow" | "post", string>>;
  readonly users: number;
  /** Followers of the most followed; at most `users` - 1. */
  readonly maxFollowers: number;
  readonly posts: number;
  readonly randomSeed: number;
}

export interface SyntheticResult {
  readonly users: number;
  readonly follows: number;
  readonly posts: number;
  readonly seconds: number;
}

/** Loads a power-law graph with posts into the databases of a running platform; the same options load it once. */
export async function seedSynthetic(options: SyntheticOptions): Promise<SyntheticResult> {
  const { gatewayUrl, databases, users, maxFollowers, posts, randomSeed } = options;
  const startedAt = performance.now();
  const graph = powerLawGraph(users, maxFollowers, randomSeed);
  const prefix = `s${users}_${randomSeed}_`;
  // One account comes through the API, so that its password is hashed as the user service wants it.
  const api = createApiClient(gatewayUrl, 1);
  try {
    const { id } = await openAccount(api, `${prefix}first`);
    await loadInBulk({ databases, graph, prefix: `${prefix}n`, passwordOf: BigInt(id), posts, randomSeed });
  } finally {
    api.close();
  }
  const seconds = Math.round((performance.now() - startedAt) / 100) / 10;
  return { users, follows: graph.edges, posts, seconds };
}
