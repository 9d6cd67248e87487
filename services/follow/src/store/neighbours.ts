import type { Queryable } from "@chirrup/platform";

// Thousands of ids travel as one text: a row for each would cost the client six times the CPU.
interface Joined {
  /** Ids with commas between; null when there are none. */
  readonly ids: string | null;
}

function split(rows: readonly Joined[]): bigint[] {
  return rows[0]?.ids?.split(",").map(BigInt) ?? [];
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
