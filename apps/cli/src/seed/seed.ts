import { join } from "node:path";
import { createApiClient } from "../api/client.ts";
import type { Home } from "../launcher/paths.ts";
import { createProgressBar } from "../terminal/progress-bar.ts";
import { openAccount, type SeedAccount } from "./accounts.ts";
import { openCheckpoint } from "./checkpoint.ts";
import type { Graph } from "./graph.ts";
import { runInOrder } from "./in-order.ts";
import { createRandom, pick } from "./random.ts";
import { composeText } from "./text.ts";
import { comeBy, createVisibilityProbe, percentile } from "./visibility.ts";

export interface SeedOptions {
  readonly graph: Graph;
  readonly posts: number;
  /** Posts a second; undefined means as fast as they go. */
  readonly postsPerSecond: number | undefined;
  readonly randomSeed: number;
  readonly concurrency: number;
}

export interface SeedResult {
  readonly users: number;
  readonly follows: number;
  readonly posts: number;
  readonly seconds: number;
  readonly visibleMsP50: number | null;
  readonly visibleMsP99: number | null;
}

/** About this many posts are watched on their way into a feed. */
const probes = 500;

function required<K, V>(map: ReadonlyMap<K, V>, key: K): V {
  const value = map.get(key);
  if (value === undefined) throw new Error(`${String(key)} is not in the graph`);
  return value;
}

/**
 * Loads the graph and random posts through the public API. The same options give the same users, follows
 * and posts; a run that was interrupted is finished by the same command.
 */
export async function seed(gatewayUrl: string, home: Home, options: SeedOptions): Promise<SeedResult> {
  const { graph, randomSeed, concurrency } = options;
  const startedAt = performance.now();
  const api = createApiClient(gatewayUrl, concurrency + 4);
  const checkpoint = openCheckpoint(join(home.dir, "seeds", `${graph.hash}-${randomSeed}.json`));
  try {
    const accounts = new Map<string, SeedAccount>();
    const userBar = createProgressBar("users", graph.nodes.length);
    await runInOrder(
      { from: 0, total: graph.nodes.length, concurrency },
      async (index) => {
        const node = graph.nodes[index] ?? "";
        accounts.set(node, await openAccount(api, `u${graph.hash}_${node}`));
      },
      userBar.update,
    );
    userBar.finish();

    const followBar = createProgressBar("follows", graph.edges.length);
    await runInOrder(
      { from: checkpoint.value.follows, total: graph.edges.length, concurrency },
      async (index) => {
        const [from, to] = graph.edges[index] ?? ["", ""];
        const { id } = required(accounts, to);
        await required(accounts, from).call({ method: "PUT", path: `/api/v1/users/${id}/follow` });
      },
      (done) => {
        checkpoint.set({ follows: done });
        followBar.update(done);
      },
    );
    checkpoint.flush();
    followBar.finish();

    const visible = await writePosts(options, accounts, checkpoint);
    return {
      users: graph.nodes.length,
      follows: graph.edges.length,
      posts: options.posts,
      seconds: Math.round((performance.now() - startedAt) / 100) / 10,
      visibleMsP50: percentile(visible, 0.5),
      visibleMsP99: percentile(visible, 0.99),
    };
  } finally {
    checkpoint.flush();
    api.close();
  }
}

async function writePosts(
  { graph, posts, postsPerSecond, randomSeed, concurrency }: SeedOptions,
  accounts: ReadonlyMap<string, SeedAccount>,
  checkpoint: ReturnType<typeof openCheckpoint>,
): Promise<readonly number[]> {
  const random = createRandom(randomSeed);
  // Drawn in order before the first is sent, so that post n is the same whatever came first on the wire.
  const drafts = Array.from({ length: posts }, () => ({
    author: pick(random, graph.nodes),
    text: composeText(random),
  }));
  const followersOf = Map.groupBy(graph.edges, ([, followee]) => followee);
  const probe = createVisibilityProbe();
  const probeEvery = Math.max(1, Math.floor(posts / probes));
  /** Who looks for a post; undefined when nobody does. */
  function watcherOf(index: number): SeedAccount | undefined {
    if (index % probeEvery !== 0) return undefined;
    const followers = followersOf.get(drafts[index]?.author ?? "") ?? [];
    const [follower] = followers[index % followers.length] ?? [];
    return follower === undefined ? undefined : required(accounts, follower);
  }
  const bar = createProgressBar("posts", posts);
  const from = checkpoint.value.posts;
  await comeBy(new Set(drafts.flatMap((_, index) => watcherOf(index) ?? [])));
  const startedAt = performance.now();
  await runInOrder(
    { from, total: posts, concurrency },
    async (index) => {
      if (postsPerSecond !== undefined) {
        const dueInMs = startedAt + ((index - from) * 1000) / postsPerSecond - performance.now();
        if (dueInMs > 0) await new Promise((resolve) => setTimeout(resolve, dueInMs));
      }
      const draft = drafts[index];
      if (draft === undefined) return;
      const { post } = await required(accounts, draft.author).call<{ post: { id: string } }>({
        method: "POST",
        path: "/api/v1/posts",
        body: { content: draft.text },
        // An answer that was lost is asked for again, and the post is written once.
        idempotencyKey: `seed-${graph.hash}-${randomSeed}-${index}`,
      });
      const watcher = watcherOf(index);
      if (watcher !== undefined) probe.offer(post.id, performance.now(), watcher);
    },
    (done) => {
      checkpoint.set({ posts: done });
      bar.update(done);
    },
  );
  checkpoint.flush();
  bar.finish();
  return probe.results();
}
