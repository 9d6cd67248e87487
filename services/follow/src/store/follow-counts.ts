import type { Queryable } from "@chirrup/platform";
import { unfoldedFollowers } from "./follower-deltas.ts";

/** How many edges a user has. */
export interface Counts {
  readonly followers: bigint;
  readonly following: bigint;
}

/** A user's counts, zeros when nothing is stored. Exact: what is not folded in yet is added. */
export async function readCounts(db: Queryable, userId: bigint): Promise<Counts> {
  const [counts] = await db.query<Counts>({
    name: "read-counts",
    text: `
      select coalesce(counts.followers, 0) + ${unfoldedFollowers("$1")} as followers,
        coalesce(counts.following, 0) as following
      from (select) as one left join follow_counts as counts on counts.user_id = $1`,
    values: [userId],
  });
  return counts ?? { followers: 0n, following: 0n };
}

/** How many follow a user as far as it is folded in, held still until the transaction ends. */
export async function lockFollowers(tx: Queryable, userId: bigint): Promise<bigint> {
  const [counts] = await tx.query<Pick<Counts, "followers">>({
    name: "lock-followers",
    text: `select followers from follow_counts where user_id = $1 for update`,
    values: [userId],
  });
  return counts?.followers ?? 0n;
}

/** The last user of the next `limit` counted ones above `afterId`; undefined when there are none. */
export async function endOfStretch(
  db: Queryable,
  { afterId, limit }: { readonly afterId: bigint; readonly limit: number },
): Promise<bigint | undefined> {
  const [end] = await db.query<{ id: bigint | null }>({
    name: "end-of-stretch",
    text: `
      select max(user_id) as id
      from (select user_id from follow_counts where user_id > $1 order by user_id limit $2) as stretch`,
    values: [afterId, limit],
  });
  return end?.id ?? undefined;
}
