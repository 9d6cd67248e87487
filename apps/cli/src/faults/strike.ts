import type { Home } from "../launcher/paths.ts";
import { type PartStatus, readStatus } from "../launcher/status.ts";
import type { SeedAccount } from "../seed/accounts.ts";
import { readPage } from "./observer.ts";
import { patienceMs } from "./patience.ts";
import { preparePromotion } from "./promotion.ts";
import type { Kind } from "./victims.ts";

const answersWithinMs = 1_000;
const pollMs = 50;

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** A kill, or two soon after each other, and how long it was felt. */
export interface Strike {
  readonly kind: Kind | "pair";
  readonly parts: readonly string[];
  /** Until every part said that it is ready again. */
  readonly readyMs: number;
  /** Until a post that was written after the kill stood in a follower's feed. */
  readonly visibleMs: number;
}

/** Waits until every part is ready and none of them is a process of `gone`. */
export async function untilReady(home: Home, gone: readonly PartStatus[] = []): Promise<void> {
  const dead = new Set(gone.map(({ pid }) => pid));
  const until = performance.now() + patienceMs;
  for (;;) {
    const status = await readStatus(home);
    if (status.ready && !status.parts.some(({ pid }) => dead.has(pid))) return;
    if (performance.now() > until) {
      const parts = "parts" in status ? status.parts.filter(({ state }) => state !== "ready") : [];
      const names = parts.map(({ name, state }) => `${name} ${state}`).join(", ");
      throw new Error(`not ready after ${patienceMs / 1000} s: ${names}`);
    }
    await sleep(pollMs);
  }
}

/** Writes a post as soon as one is taken; gives its id. */
async function writeProbe(author: SeedAccount, content: string): Promise<bigint> {
  const until = performance.now() + patienceMs;
  for (let attempt = 1; ; attempt += 1) {
    try {
      const request = {
        method: "POST",
        path: "/api/v1/posts",
        body: { content },
        // An attempt without an answer may be there all the same, and so may the next.
        idempotencyKey: `${content}-${attempt}`,
      } as const;
      const answer = await author.attempt(request, answersWithinMs);
      if (answer.status === 200) return BigInt((JSON.parse(answer.text) as { post: { id: string } }).post.id);
      if (performance.now() > until) throw new Error(`a post is answered ${answer.status}: ${answer.text}`);
    } catch (error) {
      if (performance.now() > until) throw error;
    }
    await sleep(pollMs);
  }
}

/** Looks into a feed that holds posts of the probes alone until the post is there. */
async function untilVisible(follower: SeedAccount, postId: bigint): Promise<void> {
  const until = performance.now() + patienceMs;
  while ((await readPage(follower, 10))?.ids.includes(postId) !== true) {
    if (performance.now() > until)
      throw new Error(`post ${postId} is in no feed after ${patienceMs / 1000} s`);
    await sleep(pollMs);
  }
}

/** What is killed, and how. */
export interface Target {
  readonly kind: Kind;
  readonly part: PartStatus;
  kill(): Promise<void>;
}

/** A part that is about to die by SIGKILL; for a promotion its replica is made synchronous first. */
export async function aim(home: Home, kind: Kind, part: PartStatus): Promise<Target> {
  if (kind === "promotion") return { kind, part, kill: await preparePromotion(home, part) };
  return {
    kind,
    part,
    kill() {
      if (part.pid === null) throw new Error(`${part.name} does not run`);
      process.kill(part.pid, "SIGKILL");
      return Promise.resolve();
    },
  };
}

/** Kills with SIGKILL and waits until all is there again and posts get through; times are from the last kill. */
export async function strike(options: {
  readonly home: Home;
  readonly first: Target;
  readonly second: { readonly target: Target; readonly afterMs: number } | undefined;
  /** Who writes probes, and who follows nobody else. */
  readonly prober: SeedAccount;
  readonly follower: SeedAccount;
  readonly content: string;
}): Promise<Strike> {
  const { home, first, second, prober, follower, content } = options;
  const killed = second === undefined ? [first.part] : [first.part, second.target.part];
  let killedAt = performance.now();
  await first.kill();
  if (second !== undefined) {
    await sleep(second.afterMs);
    killedAt = performance.now();
    await second.target.kill();
  }
  async function visible(): Promise<number> {
    await untilVisible(follower, await writeProbe(prober, content));
    return performance.now() - killedAt;
  }
  async function ready(): Promise<number> {
    await untilReady(home, killed);
    return performance.now() - killedAt;
  }
  const [visibleMs, readyMs] = await Promise.all([visible(), ready()]);
  return {
    kind: second === undefined ? first.kind : "pair",
    parts: killed.map(({ name }) => name),
    readyMs: Math.round(readyMs),
    visibleMs: Math.round(visibleMs),
  };
}
