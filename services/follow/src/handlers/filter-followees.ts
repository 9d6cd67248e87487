import { invalidArgument } from "@chirrup/platform";
import type { FollowContext, Rpc } from "../context.ts";
import { requireUserId } from "../domain/user-id.ts";
import { followeesAmong } from "../store/neighbours.ts";

const maxCandidates = 1_000;

export function filterFollowees({ reads }: Pick<FollowContext, "reads">): Rpc<"filterFollowees"> {
  return async ({ userId, candidateIds }, call) => {
    requireUserId(userId);
    if (candidateIds.length > maxCandidates) {
      throw invalidArgument({ field: "candidateIds", description: `must be at most ${maxCandidates}` });
    }
    if (candidateIds.length === 0) return { followeeIds: [] };
    return { followeeIds: await followeesAmong(reads.of(call), { userId, candidateIds }) };
  };
}
