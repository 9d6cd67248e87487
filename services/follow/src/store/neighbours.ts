import type { Queryable } from "@chirrup/platform";

/** An author's followers above `afterId` in ascending order of id, at most `limit`. */
export async function followerIds(
  db: Queryable,
  { userId, afterId, limit }: { readonly userId: bigint; readonly afterId: bigint; readonly limit: number },
): Promise<bigint[]> {
  const rows = await db.query<{ id: bigint }>({
    name: "follower-ids",
    text: `
      select follower_id as id from follows
      where followee_id = $1 and follower_id > $2
      order by follower_id limit $3`,
    values: [userId, afterId, limit],
  });
  return rows.map(({ id }) => id);
}

/** Whom a user follows, in ascending order of id. */
export async function followeeIds(db: Queryable, userId: bigint): Promise<bigint[]> {
  const rows = await db.query<{ id: bigint }>({
    name: "followee-ids",
    text: `select followee_id as id from follows where follower_id = $1 order by followee_id`,
    values: [userId],
  });
  return rows.map(({ id }) => id);
}

/** Which of some users a user follows, in ascending order of id. */
export async function followeesAmong(
  db: Queryable,
  { userId, candidateIds }: { readonly userId: bigint; readonly candidateIds: readonly bigint[] },
): Promise<bigint[]> {
  const rows = await db.query<{ id: bigint }>({
    name: "followees-among",
    text: `
      select followee_id as id from follows
      where follower_id = $1 and followee_id = any ($2::bigint[])
      order by followee_id`,
    values: [userId, candidateIds],
  });
  return rows.map(({ id }) => id);
}
