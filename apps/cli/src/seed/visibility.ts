import type { SeedAccount } from "./accounts.ts";

interface FeedPage {
  readonly items: readonly { readonly post: { readonly id: string } }[];
}

const visibleWithinMs = 30_000;
const mostAtOnce = 2;

/** Measures how long after a post was acknowledged it stands in a follower's home feed. */
export interface VisibilityProbe {
  /** Looks into the follower's feed until the post is there; does nothing while enough others look. */
  offer(postId: string, acknowledgedAt: number, follower: SeedAccount): void;
  /** Waits for those that still look. Milliseconds, ascending. */
  results(): Promise<readonly number[]>;
}

export function createVisibilityProbe(): VisibilityProbe {
  const measured: number[] = [];
  const looking = new Set<Promise<void>>();

  async function look(postId: string, acknowledgedAt: number, follower: SeedAccount): Promise<void> {
    for (;;) {
      const page = await follower.call<FeedPage>({ method: "GET", path: "/api/v1/feed?page_size=50" });
      const waitedMs = performance.now() - acknowledgedAt;
      if (page.items.some(({ post }) => post.id === postId)) {
        measured.push(waitedMs);
        return;
      }
      if (waitedMs > visibleWithinMs)
        throw new Error(`post ${postId} is not in a follower's feed after ${waitedMs} ms`);
    }
  }
  return {
    offer(postId, acknowledgedAt, follower) {
      if (looking.size >= mostAtOnce) return;
      // A post that never shows is counted at the limit, as the worst there can be.
      const one: Promise<void> = look(postId, acknowledgedAt, follower)
        .catch(() => void measured.push(visibleWithinMs))
        .finally(() => looking.delete(one));
      looking.add(one);
    },
    async results() {
      await Promise.all(looking);
      return measured.toSorted((a, b) => a - b);
    },
  };
}

/** The value below which the share of the sorted values lies (nearest rank); null of nothing. */
export function percentile(sorted: readonly number[], share: number): number | null {
  const value = sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)];
  return value === undefined ? null : Math.round(value * 10) / 10;
}
