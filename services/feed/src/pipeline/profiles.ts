import type { CallOptions } from "@chirrup/grpc";
import type { User } from "@chirrup/proto/chirrup/user/v1/user_service";
import type { UserClient } from "../clients/user.ts";
import type { Clock } from "../domain/clock.ts";

/** Profiles of authors, kept for a short while. */
export interface Profiles {
  /** Those of the users who exist, as they were at most `maxAgeMs` ago. The reader's own is always asked for. */
  get(userIds: readonly bigint[], readerId: bigint, options: CallOptions): Promise<ReadonlyMap<bigint, User>>;
}

/**
 * Keeps up to `maxKept` profiles for `maxAgeMs` each. A changed name shows that much later to others; a deleted
 * author's posts go with the posts themselves.
 */
export function createProfiles({
  users,
  clock,
  maxAgeMs,
  maxKept,
}: {
  readonly users: UserClient;
  readonly clock: Clock;
  readonly maxAgeMs: number;
  readonly maxKept: number;
}): Profiles {
  // In the order of asking, so that the first are the oldest.
  const kept = new Map<bigint, { readonly user: User; readonly askedAtMs: number }>();

  return {
    async get(userIds, readerId, options) {
      const nowMs = clock.nowMs();
      const profiles = new Map<bigint, User>();
      const missing: bigint[] = [];
      for (const userId of userIds) {
        const known = kept.get(userId);
        if (known === undefined || userId === readerId || nowMs - known.askedAtMs >= maxAgeMs) {
          missing.push(userId);
        } else {
          profiles.set(userId, known.user);
        }
      }
      if (missing.length === 0) return profiles;
      const found = await users.getUsers(missing, options);
      for (const userId of missing) {
        kept.delete(userId);
        const user = found.get(userId);
        if (user === undefined) continue;
        kept.set(userId, { user, askedAtMs: nowMs });
        profiles.set(userId, user);
      }
      for (const oldest of kept.keys()) {
        if (kept.size <= maxKept) break;
        kept.delete(oldest);
      }
      return profiles;
    },
  };
}
