import type { SeedAccount } from "../seed/accounts.ts";
import type { Ledger } from "./ledger.ts";
import { orderFault, type SeenPage } from "./order.ts";

const answersWithinMs = 3_000;
const betweenMs = 50;
const pageSize = 100;

interface FeedAnswer {
  readonly items: readonly { readonly post: { readonly id: string } }[];
  readonly nextCursor: string;
}

/** A reader who follows every author and looks at the feed all the time. */
export interface Observer {
  readonly pages: number;
  readonly faults: readonly string[];
  /** Resolves when the post stands on the first page. Rejects when it does not within the time. */
  untilSeen(postId: bigint, withinMs: number): Promise<void>;
  stop(): Promise<void>;
}

export function startObserver(reader: SeedAccount, ledger: Ledger): Observer {
  const faults: string[] = [];
  const waiting = new Map<bigint, () => void>();
  let pages = 0;
  const stopping = new AbortController();

  async function readPage(): Promise<SeenPage | undefined> {
    try {
      const path = `/api/v1/feed?page_size=${pageSize}`;
      const answer = await reader.attempt({ method: "GET", path }, answersWithinMs);
      if (answer.status !== 200) return undefined;
      const { items, nextCursor } = JSON.parse(answer.text) as FeedAnswer;
      const ids = items.map(({ post }) => BigInt(post.id));
      return { ids, whole: nextCursor === "", readAt: performance.now() };
    } catch {
      // A part is away.
      return undefined;
    }
  }

  async function watch(): Promise<void> {
    while (!stopping.signal.aborted) {
      const page = await readPage();
      if (page !== undefined) {
        pages += 1;
        const fault = orderFault(page, ledger.posts);
        if (fault !== undefined) faults.push(fault);
        for (const id of page.ids) waiting.get(id)?.();
      }
      await new Promise((resolve) => setTimeout(resolve, betweenMs));
    }
  }

  const watching = watch();
  return {
    get pages() {
      return pages;
    },
    faults,
    async untilSeen(postId, withinMs) {
      const seen = Promise.withResolvers<void>();
      const timer = setTimeout(
        () => seen.reject(new Error(`post ${postId} is in no feed after ${withinMs / 1000} s`)),
        withinMs,
      );
      waiting.set(postId, seen.resolve);
      try {
        await seen.promise;
      } finally {
        clearTimeout(timer);
        waiting.delete(postId);
      }
    },
    async stop() {
      stopping.abort();
      await watching;
    },
  };
}
