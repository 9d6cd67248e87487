import { invalidArgument, pageSize } from "@chirrup/platform";
import type { FollowContext, Rpc } from "../context.ts";
import { followerPage } from "../domain/follower-page.ts";
import { requireUserId } from "../domain/user-id.ts";
import { readState } from "../store/celebrity-states.ts";
import { followerIds } from "../store/neighbours.ts";

/**
 * Streams a user's followers by keyset, a page read only when the one before has been taken.
 *
 * *Why the state comes first*: an author who turns celebrity while the followers are read is then still
 * pushed to all of them. Read last, the state could say celebrity for an author of whom some readers
 * neither got the push nor merge the outbox yet.
 */
export function streamFollowers({ postgres }: Pick<FollowContext, "postgres">): Rpc<"streamFollowers"> {
  return async function* (request, call) {
    const { userId } = request;
    requireUserId(userId);
    if (request.afterUserId < 0n) {
      throw invalidArgument({ field: "afterUserId", description: "must be an id, or 0 for all" });
    }
    const limit = pageSize(request.pageSize, followerPage);

    const state = await readState(postgres, userId);
    let afterId: bigint | undefined = request.afterUserId;
    for (let first = true; afterId !== undefined && !call.signal.aborted; first = false) {
      const page: bigint[] = await followerIds(postgres, { userId, afterId, limit });
      if (page.length > 0 || first) yield { state, followerIds: page };
      afterId = page.length < limit ? undefined : page.at(-1);
    }
  };
}
