import { invalidArgument } from "@chirrup/platform";

/** Refuses what can be no id: INVALID_ARGUMENT, field userId. Whether a user has the id is not asked. */
export function requireUserId(userId: bigint): void {
  if (userId <= 0n) throw invalidArgument({ field: "userId", description: "must be a positive id" });
}
