import type { Handlers } from "@chirrup/platform";
import type { FeedService } from "@chirrup/proto/chirrup/feed/v1/feed_service";
import type { Context } from "./context.ts";
import { buildHomeTimelines } from "./handlers/build-home-timelines.ts";
import { countNewPosts } from "./handlers/count-new-posts.ts";
import { getHomeFeed } from "./handlers/get-home-feed.ts";

/** Every rpc of FeedService over one context. */
export function createHandlers(context: Context): Handlers<typeof FeedService> {
  return {
    getHomeFeed: getHomeFeed(context),
    countNewPosts: countNewPosts(context),
    buildHomeTimelines: buildHomeTimelines(context),
  };
}
