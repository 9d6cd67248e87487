import { keepEncoded } from "@chirrup/grpc";
import { coalesce, peerCallOptions } from "@chirrup/platform";
import { type User, UserSchema } from "@chirrup/proto/chirrup/user/v1/user_service";
import type { UserClient } from "../clients/user.ts";
import type { Clock } from "../domain/clock.ts";
import { createKept } from "../domain/kept.ts";
import type { PageCall } from "../domain/page-call.ts";
import { wroteTo } from "../domain/wrote-to.ts";
import { patienceMs } from "./patience.ts";

/** Profiles of authors, kept for a short while. */
export interface Profiles {
  /**
   * Those of the users who exist, as they were at most `maxAgeMs` ago; the reader's own is asked for when the call has a
   * token of the user service. No rpc when all are kept; otherwise one, which pages that ask at the same time share.
   */
  get(userIds: Iterable<bigint>, readerId: bigint, call: PageCall): Promise<ReadonlyMap<bigint, User>>;
}

export interface ProfilesContext {
  readonly users: UserClient;
  readonly clock: Clock;
  readonly maxAgeMs: number;
  readonly maxKept: number;
  /** Aborted when the process stops. */
  readonly signal: AbortSignal;
}

interface KeptProfile {
  readonly user: User;
  readonly askedAtMs: number;
}

/** The most that are asked for together: some pages' worth, so that one answer is not long in coming. */
const maxPages = 32;
/** Profiles that are half as old as they may be are gathered for so long before they are asked for again. */
const gatherMs = 100;

/**
 * Keeps up to `maxKept` profiles for `maxAgeMs` each. A changed name shows that much later, save to its owner who carries
 * the token of the change; a deleted author's posts go with the posts themselves.
 *
 * Those in use are asked for again before they are too old, behind the pages' backs and many at once: an author who is
 * on many pages costs no more than one who is on a few.
 */
export function createProfiles({ users, clock, maxAgeMs, maxKept, signal }: ProfilesContext): Profiles {
  const kept = createKept<KeptProfile>(maxKept, () => 1);
  const ageing = new Set<bigint>();

  async function ask(
    userIds: readonly bigint[],
    options = peerCallOptions({ signal, readsPrimary: false }),
  ): Promise<ReadonlyMap<bigint, User>> {
    const askedAtMs = clock.nowMs();
    const found = await users.getUsers(userIds, options);
    for (const userId of userIds) {
      const user = found.get(userId);
      if (user === undefined) {
        kept.drop(userId);
      } else {
        keepEncoded(UserSchema, user);
        kept.keep(userId, { user, askedAtMs });
      }
    }
    return found;
  }
  const askTogether = coalesce<readonly bigint[], ReadonlyMap<bigint, User>>(
    maxPages,
    async (_, pages) => {
      const found = await ask([...new Set(pages.flat())]);
      return pages.map(() => found);
    },
    { patienceMs },
  );

  async function refresh(): Promise<void> {
    await clock.wait(gatherMs, signal);
    const userIds = [...ageing];
    ageing.clear();
    await ask(userIds);
  }
  function age(userId: bigint): void {
    ageing.add(userId);
    // Whoever is still too old then is asked for by the page that needs it, which is told what went wrong.
    if (ageing.size === 1) void refresh().catch(() => ageing.clear());
  }

  return {
    async get(userIds, readerId, call) {
      const nowMs = clock.nowMs();
      const hasWritten = wroteTo(call, "user");
      const profiles = new Map<bigint, User>();
      const missing: bigint[] = [];
      for (const userId of userIds) {
        const known = kept.use(userId);
        const ageMs = known === undefined ? Infinity : nowMs - known.askedAtMs;
        if (known === undefined || ageMs >= maxAgeMs || (hasWritten && userId === readerId)) {
          missing.push(userId);
        } else {
          profiles.set(userId, known.user);
          if (ageMs >= maxAgeMs / 2) age(userId);
        }
      }
      if (missing.length === 0) return profiles;
      const standsAlone = hasWritten || call.readsPrimary;
      const found = standsAlone ? await ask(missing, call.onward()) : await askTogether(0n, missing);
      for (const userId of missing) {
        const user = found.get(userId);
        if (user !== undefined) profiles.set(userId, user);
      }
      return profiles;
    },
  };
}
