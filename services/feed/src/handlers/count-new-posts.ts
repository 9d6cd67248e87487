import type { FeedService } from "@chirrup/proto/chirrup/feed/v1/feed_service";
import { type Handlers, invalidArgument, requireCaller } from "@chirrup/platform";
import { filterItems, scopeOf } from "../domain/page.ts";
import { newest } from "../domain/slice.ts";
import { hydrate } from "../pipeline/hydrate.ts";
import { skeleton } from "../pipeline/skeleton.ts";
import type { GetHomeFeedContext } from "./get-home-feed.ts";

/** Counted up to this many: what a client shows as "99+" needs no more. */
const maxCount = 100;
/** Entries looked at first: few are new when a client asks every now and then. */
const batchSize = 20;

/**
 * How many posts above a place a page would show now. The same steps as a page's, and the same filter, so a
 * count never promises a post that the page then leaves out. One batch is hydrated for each 20 new posts.
 */
export function countNewPosts(
  context: Omit<GetHomeFeedContext, "metrics">,
): Handlers<typeof FeedService>["countNewPosts"] {
  return async (request, call) => {
    const { userId: readerId } = requireCaller(call);
    const since = context.cursors.decode(scopeOf(readerId), request.since);
    if (since === undefined) throw invalidArgument({ field: "since", description: "must be given" });

    let count = 0;
    const wanted = { readerId, before: newest, batchSize, call };
    for await (const { entries, followees } of skeleton(context, wanted)) {
      const above = entries.filter(({ postId }) => postId > since);
      if (above.length > 0) {
        const hydration = await hydrate(context, readerId, above, call);
        count += filterItems(above, hydration, followees, readerId).length;
      }
      if (above.length < entries.length || count >= maxCount) break;
    }
    return { count: Math.min(count, maxCount) };
  };
}
