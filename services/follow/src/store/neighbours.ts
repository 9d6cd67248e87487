import type { Queryable } from "@chirrup/platform";
import { CelebrityState } from "@chirrup/proto/chirrup/follow/v1/follow_service";

// Thousands of ids travel as one text: a row for each would cost the client six times the CPU.
interface Joined {
  /** Ids with commas between; null when there are none. */
  readonly ids: string | null;
}

function split([row]: readonly Joined[]): bigint[] {
  return row?.ids?.split(",").map(BigInt) ?? [];
}

/** An author's followers above `afterId` in ascending order of id, at most `limit`. */
export async function followerIds(
  db: Queryable,
  { userId, afterId, limit }: { readonly userId: bigint; readonly afterId: bigint; readonly limit: number },
): Promise<bigint[]> {
  const rows = await db.query<Joined>({
    name: "follower-ids",
    text: `
      select string_agg(follower_id::text, ',' order by follower_id) as ids
      from (
        select follower_id from follows
        where followee_id = $1 and follower_id > $2
        order by follower_id limit $3
      ) as page`,
    values: [userId, afterId, limit],
  });
  return split(rows);
}

/** An author's state, and followers in ascending order of id. */
export interface FirstFollowers {
  readonly state: CelebrityState;
  readonly followerIds: bigint[];
}

/**
 * For each author, in the order given, the state and the first followers, at most `limit`, as of one moment; no followers
 * when the state is *celebrity*.
 */
export async function firstFollowers(
  db: Queryable,
  { userIds, limit }: { readonly userIds: readonly bigint[]; readonly limit: number },
): Promise<FirstFollowers[]> {
  const rows = await db.query<Joined & { readonly state: CelebrityState }>({
    name: "first-followers",
    text: `
      select coalesce(standing.state, ${CelebrityState.NORMAL}) as state, page.ids
      from unnest($1::bigint[]) with ordinality as author (user_id, place)
        left join celebrity_states as standing using (user_id)
        cross join lateral (
          select string_agg(follower_id::text, ',' order by follower_id) as ids
          from (
            select follower_id from follows
            where followee_id = author.user_id and standing.state is distinct from ${CelebrityState.CELEBRITY}
            order by follower_id limit $2
          ) as first
        ) as page
      order by place`,
    values: [userIds, limit],
  });
  return rows.map(({ state, ids }) => ({ state, followerIds: split([{ ids }]) }));
}

/** Whom a user follows, in ascending order of id. */
export async function followeeIds(db: Queryable, userId: bigint): Promise<bigint[]> {
  const rows = await db.query<Joined>({
    name: "followee-ids",
    text: `
      select string_agg(followee_id::text, ',' order by followee_id) as ids
      from follows where follower_id = $1`,
    values: [userId],
  });
  return split(rows);
}

/** Which of some users a user follows, each once, in ascending order of id. */
export async function followeesAmong(
  db: Queryable,
  { userId, candidateIds }: { readonly userId: bigint; readonly candidateIds: readonly bigint[] },
): Promise<bigint[]> {
  const rows = await db.query<Joined>({
    name: "followees-among",
    // A join: with = any ($2) the generic plan compares each followee with each candidate.
    text: `
      select string_agg(followee_id::text, ',' order by followee_id) as ids
      from follows
      where follower_id = $1 and followee_id in (select unnest($2::bigint[]))`,
    values: [userId, candidateIds],
  });
  return split(rows);
}
