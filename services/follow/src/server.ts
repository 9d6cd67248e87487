import type { Handlers } from "@chirrup/platform";
import type { FollowService } from "@chirrup/proto/chirrup/follow/v1/follow_service";
import type { FollowContext } from "./context.ts";
import { advanceCelebrityState } from "./handlers/advance-celebrity-state.ts";
import { filterFollowees } from "./handlers/filter-followees.ts";
import { follow } from "./handlers/follow.ts";
import { getFollowCounts } from "./handlers/get-follow-counts.ts";
import { getRelationship } from "./handlers/get-relationship.ts";
import { listCelebrities } from "./handlers/list-celebrities.ts";
import { listFirstFollowers } from "./handlers/list-first-followers.ts";
import { listFollowedCelebrities } from "./handlers/list-followed-celebrities.ts";
import { listFollowees } from "./handlers/list-followees.ts";
import { listFollowers } from "./handlers/list-followers.ts";
import { listFollowing } from "./handlers/list-following.ts";
import { streamFollowers } from "./handlers/stream-followers.ts";
import { unfollow } from "./handlers/unfollow.ts";

/** Every rpc of FollowService over one context. */
export function createHandlers(context: FollowContext): Handlers<typeof FollowService> {
  return {
    follow: follow(context),
    unfollow: unfollow(context),
    getRelationship: getRelationship(context),
    listFollowers: listFollowers(context),
    listFollowing: listFollowing(context),
    getFollowCounts: getFollowCounts(context),
    streamFollowers: streamFollowers(context),
    listFirstFollowers: listFirstFollowers(context),
    listFollowees: listFollowees(context),
    listFollowedCelebrities: listFollowedCelebrities(context),
    listCelebrities: listCelebrities(context),
    filterFollowees: filterFollowees(context),
    advanceCelebrityState: advanceCelebrityState(context),
  };
}
