import { readFileSync } from "node:fs";
import { openHome } from "../launcher/paths.ts";
import { runningState } from "../launcher/status.ts";
import { parseGraph, synthesizeGraph } from "../seed/graph.ts";
import { seedSynthetic } from "../seed/bulk/synthetic.ts";
import { seed as runSeed } from "../seed/seed.ts";
import { wholeNumber } from "./whole-number.ts";

export interface SeedFlags {
  readonly graph?: string;
  readonly undirected?: boolean;
  readonly users: string;
  readonly synthetic?: boolean;
  readonly maxFollowers?: string;
  readonly posts: string;
  readonly rate?: string;
  readonly randomSeed: string;
  readonly concurrency: string;
  readonly json?: boolean;
}

/** `chirrup seed`: loads a follow graph and posts into the running platform through its public API. */
export async function seed(flags: SeedFlags): Promise<void> {
  const home = openHome();
  const state = runningState(home);
  if (state === undefined) throw new Error("nothing runs; start the platform with: npm run up");
  const randomSeed = wholeNumber("--random-seed", flags.randomSeed, 0, 2 ** 32 - 1);
  const users = wholeNumber("--users", flags.users, 1, 1_000_000);
  if (flags.synthetic === true) {
    const half = String(Math.max(1, Math.floor(users / 2)));
    const result = await seedSynthetic({
      gatewayUrl: state.gatewayUrl,
      databases: state.access.databases,
      users,
      maxFollowers: wholeNumber("--max-followers", flags.maxFollowers ?? half, 1, 1_000_000),
      posts: wholeNumber("--posts", flags.posts, 0, 10_000_000),
      randomSeed,
    });
    const told = `Loaded ${result.users} users, ${result.follows} follows and ${result.posts} posts in ${result.seconds} s.`;
    const answer = { ...result, visibleMsP50: null, visibleMsP99: null };
    process.stdout.write(`${flags.json === true ? JSON.stringify(answer) : told}\n`);
    return;
  }
  const text =
    flags.graph === undefined ? synthesizeGraph(users, randomSeed) : readFileSync(flags.graph, "utf8");
  const result = await runSeed(state.gatewayUrl, home, {
    graph: parseGraph(text, flags.undirected === true),
    posts: wholeNumber("--posts", flags.posts, 0, 10_000_000),
    postsPerSecond: flags.rate === undefined ? undefined : wholeNumber("--rate", flags.rate, 1, 100_000),
    randomSeed,
    concurrency: wholeNumber("--concurrency", flags.concurrency, 1, 1_000),
  });
  if (flags.json === true) {
    process.stdout.write(`${JSON.stringify(result)}\n`);
    return;
  }
  process.stdout.write(
    `Seeded ${result.users} users, ${result.follows} follows and ${result.posts} posts in ${result.seconds} s.\n` +
      `A post was in a follower's feed after ${result.visibleMsP50} ms (median), ${result.visibleMsP99} ms (p99).\n`,
  );
}
