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

/** The first page of a reader's feed; undefined while a part that it needs is away. */
export async function readPage(reader: SeedAccount, posts: number): Promise<SeenPage | undefined> {
  try {
    const path = `/api/v1/feed?page_size=${posts}`;
    const answer = await reader.attempt({ method: "GET", path }, answersWithinMs);
    if (answer.status !== 200) return undefined;
    const { items, nextCursor } = JSON.parse(answer.text) as FeedAnswer;
    const ids = items.map(({ post }) => BigInt(post.id));
    return { ids, whole: nextCursor === "", readAt: performance.now() };
  } catch {
    return undefined;
  }
}

/** A reader who follows every author and looks at the feed all the time. */
export interface Observer {
  readonly pages: number;
  readonly faults: readonly string[];
  stop(): Promise<void>;
}

export function startObserver(reader: SeedAccount, ledger: Ledger): Observer {
  const faults: string[] = [];
  let pages = 0;
  const stopping = new AbortController();

  async function watch(): Promise<void> {
    while (!stopping.signal.aborted) {
      const page = await readPage(reader, pageSize);
      if (page !== undefined) {
        pages += 1;
        const fault = orderFault(page, ledger.posts);
        if (fault !== undefined) faults.push(fault);
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
    async stop() {
      stopping.abort();
      await watching;
    },
  };
}
