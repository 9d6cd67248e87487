import { CelebrityState } from "@chirrup/proto/chirrup/follow/v1/follow_service";
import type { FollowContext, Rpc } from "../context.ts";
import { requireUserId } from "../domain/user-id.ts";
import { celebritiesAround } from "../store/celebrity-states.ts";

/**
 * Read from the primary: a reader who took a celebrity for normal, as a replica may still have it, would miss what is not
 * pushed any more.
 */
export function listFollowedCelebrities({
  postgres,
}: Pick<FollowContext, "postgres">): Rpc<"listFollowedCelebrities"> {
  return async ({ userId }) => {
    requireUserId(userId);

    const around = await celebritiesAround(postgres, userId);
    const own = around.find((author) => author.userId === userId);
    return {
      followeeIds: around.filter((author) => author !== own).map((author) => author.userId),
      ownState: own?.state ?? CelebrityState.NORMAL,
    };
  };
}
