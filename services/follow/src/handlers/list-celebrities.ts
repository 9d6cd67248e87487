import { invalidArgument } from "@chirrup/platform";
import type { FollowContext, Rpc } from "../context.ts";
import { celebritiesSince } from "../store/celebrity-states.ts";

export function listCelebrities({ postgres }: Pick<FollowContext, "postgres">): Rpc<"listCelebrities"> {
  return async ({ knownVersion }) => {
    if (knownVersion < 0n) {
      throw invalidArgument({ field: "knownVersion", description: "must be a version, or 0 for none" });
    }
    return celebritiesSince(postgres, knownVersion);
  };
}
