import type { SeedAccount } from "./accounts.ts";

interface FeedPage {
  readonly items: readonly { readonly post: { readonly id: string } }[];
  readonly nextCursor: string;
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

/**
 * Reads the followers' feeds once, so that they are kept from then on. Who has not come by for long is answered from
 * Postgres, at that price and with posts whose events are still on their way: neither is what is measured.
 */
export async function comeBy(followers: ReadonlySet<SeedAccount>): Promise<void> {
  await Promise.all([...followers].map((follower) => follower.call({ method: "GET", path: "/api/v1/feed" })));
}

/** Whether the post stands in the feed. Reads on as far as the post's place: newer ones may fill a page. */
async function isInFeed(postId: string, follower: SeedAccount): Promise<boolean> {
  let cursor = "";
  do {
    const path = `/api/v1/feed?page_size=50&cursor=${encodeURIComponent(cursor)}`;
    const page = await follower.call<FeedPage>({ method: "GET", path });
    if (page.items.some(({ post }) => post.id === postId)) return true;
    const last = page.items.at(-1);
    if (last === undefined || BigInt(last.post.id) < BigInt(postId)) return false;
    cursor = page.nextCursor;
  } while (cursor !== "");
  return false;
}

export function createVisibilityProbe(): VisibilityProbe {
  const measured: number[] = [];
  const looking = new Set<Promise<void>>();

  async function look(postId: string, acknowledgedAt: number, follower: SeedAccount): Promise<void> {
    for (;;) {
      const found = await isInFeed(postId, follower);
      const waitedMs = performance.now() - acknowledgedAt;
      if (found) {
        measured.push(waitedMs);
        return;
      }
      if (waitedMs > visibleWithinMs) {
        throw new Error(`post ${postId} is not in a follower's feed after ${waitedMs} ms`);
      }
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
