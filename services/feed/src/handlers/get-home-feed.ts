import type { FeedService } from "@chirrup/proto/chirrup/feed/v1/feed_service";
import { type Cursors, type Handlers, pageSize, requireCaller } from "@chirrup/platform";
import { cutPage, filterItems, type Item, type Page, scopeOf } from "../domain/page.ts";
import { newest } from "../domain/slice.ts";
import type { FeedMetrics } from "../metrics.ts";
import { hydrate, type HydrateContext } from "../pipeline/hydrate.ts";
import { skeleton, type SkeletonContext } from "../pipeline/skeleton.ts";

export interface GetHomeFeedContext extends SkeletonContext, HydrateContext {
  readonly cursors: Cursors;
  readonly metrics: FeedMetrics;
}

/**
 * The caller's home feed in four steps: skeleton (which posts), hydrate (what their owners say now), filter
 * (what is no longer to be seen) and present. Batches are taken until the page is full.
 *
 * Round trips with a warm home timeline: Redis, then hydration. One item more than the page holds is hydrated, so
 * that an empty cursor is exactly the end.
 */
export function getHomeFeed(context: GetHomeFeedContext): Handlers<typeof FeedService>["getHomeFeed"] {
  return async (request, call) => {
    const { userId: readerId } = requireCaller(call);
    const stopTimer = context.metrics.pageSeconds.startTimer();
    const size = pageSize(request.pageSize);
    const scope = scopeOf(readerId);
    const before = context.cursors.decode(scope, request.cursor) ?? newest;

    const items: Item[] = [];
    const wanted = { readerId, before, batchSize: size + 1, call };
    for await (const { entries, followees } of skeleton(context, wanted)) {
      const hydration = await hydrate(context, readerId, entries, call);
      items.push(...filterItems(entries, hydration, followees, readerId));
      if (items.length > size) break;
    }
    stopTimer();
    return present(cutPage(items, size), (id) => context.cursors.encode(scope, id));
  };
}

function present(
  { items, nextBefore }: Page,
  encode: (id: bigint) => string,
): { items: Item[]; nextCursor: string; since: string } {
  return {
    items: [...items],
    nextCursor: nextBefore === undefined ? "" : encode(nextBefore),
    // Of an empty feed: below every post.
    since: encode(items[0]?.post.id ?? 0n),
  };
}
