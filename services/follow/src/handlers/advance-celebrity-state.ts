import type { FollowContext, Rpc } from "../context.ts";
import { afterWork } from "../domain/celebrity-state.ts";
import { requireUserId } from "../domain/user-id.ts";
import { moveState } from "../store/celebrity-states.ts";

export function advanceCelebrityState({
  postgres,
  ids,
}: Pick<FollowContext, "postgres" | "ids">): Rpc<"advanceCelebrityState"> {
  return async ({ userId, epoch }, { traceparent }) => {
    requireUserId(userId);
    const state = await postgres.transaction((tx) =>
      moveState(tx, { ids, userId, traceparent, decide: (standing) => afterWork(standing, epoch) }),
    );
    return { state };
  };
}
