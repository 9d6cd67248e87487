import { type Handlers, invalidArgument } from "@chirrup/platform";
import type { FeedService } from "@chirrup/proto/chirrup/feed/v1/feed_service";
import type { Rebuilds } from "../pipeline/rebuild.ts";
import type { FollowVersions } from "../store/follow-versions.ts";
import type { Timelines } from "../store/timeline.ts";

const maxReaders = 100;

export interface BuildHomeTimelinesContext {
  readonly homes: Timelines;
  readonly versions: FollowVersions;
  readonly rebuilds: Rebuilds;
}

/** Builds the timelines one after another: an operator's batch must not stand in the way of readers' own builds. */
export function buildHomeTimelines({
  homes,
  versions,
  rebuilds,
}: BuildHomeTimelinesContext): Handlers<typeof FeedService>["buildHomeTimelines"] {
  return async ({ readerIds, anew }, call) => {
    if (readerIds.length < 1 || readerIds.length > maxReaders) {
      throw invalidArgument({ field: "readerIds", description: `must be 1 to ${maxReaders}` });
    }
    let built = 0;
    for (const readerId of readerIds) {
      call.signal.throwIfAborted();
      if (anew) {
        await homes.drop([readerId]);
        await versions.drop(readerId);
      }
      if ((await rebuilds.buildHome(readerId)) === "built") built += 1;
    }
    return { built };
  };
}
