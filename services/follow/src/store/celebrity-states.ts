import { appendOutbox, topics, type Ids, type Queryable } from "@chirrup/platform";
import { CelebrityState } from "@chirrup/proto/chirrup/follow/v1/follow_service";
import type { Standing, Thresholds } from "../domain/celebrity-state.ts";

const { NORMAL, RISING, CELEBRITY } = CelebrityState;

/** An author's state as it is committed. */
export async function readState(db: Queryable, userId: bigint): Promise<CelebrityState> {
  const [row] = await db.query<{ state: CelebrityState }>({
    name: "read-state",
    text: `select state from celebrity_states where user_id = $1`,
    values: [userId],
  });
  return row?.state ?? NORMAL;
}

/** What {@link moveState} needs beside the transaction. */
export interface Move {
  readonly ids: Pick<Ids, "next">;
  readonly userId: bigint;
  readonly traceparent: string;
  /** The state that is to hold, seen what holds. */
  readonly decide: (standing: Standing) => CelebrityState;
}

/**
 * Moves an author's state, if `decide` says so, and appends CelebrityStateChanged; answers what holds now.
 *
 * The row stays locked until the transaction ends, so the changes of one author come one after another, in
 * the order of their epochs. An author without a row may move only while the caller holds their count row,
 * for a missing row cannot be locked.
 */
export async function moveState(
  tx: Queryable,
  { ids, userId, traceparent, decide }: Move,
): Promise<CelebrityState> {
  const [stored] = await tx.query<Standing>({
    name: "lock-state",
    text: `select state, epoch from celebrity_states where user_id = $1 for update`,
    values: [userId],
  });
  const standing = stored ?? { state: NORMAL, epoch: 0n };
  const state = decide(standing);
  if (state === standing.state) return state;

  const epoch = standing.epoch + 1n;
  await tx.query({
    name: "write-state",
    text: `
      insert into celebrity_states (user_id, state, epoch) values ($1, $2, $3)
      on conflict (user_id) do update set state = excluded.state, epoch = excluded.epoch`,
    values: [userId, state, epoch],
  });
  await appendOutbox(tx, {
    topic: topics.celebrities,
    key: userId,
    event: { case: "celebrityStateChanged", value: { userId, state, epoch } },
    eventId: ids.next(),
    traceparent,
  });
  return state;
}

/** The reader and their followees, those of them that are not normal, in ascending order of id. */
export function celebritiesAround(db: Queryable, readerId: bigint): Promise<CelebrityOf[]> {
  return db.query<CelebrityOf>({
    name: "celebrities-around",
    text: `
      select author.user_id as "userId", author.state
      from follows join celebrity_states as author on author.user_id = follows.followee_id
      where follows.follower_id = $1 and author.state <> ${NORMAL}
      union all
      select user_id, state from celebrity_states where user_id = $1 and state <> ${NORMAL}
      order by 1`,
    values: [readerId],
  });
}

/**
 * All authors who are not normal, in ascending order of id; none when `knownVersion` is the version that holds.
 * Reads a row for each author who ever was one. No row is ever removed and each change adds 1 to an epoch, so
 * the sum of the epochs tells whether anything has changed.
 */
export async function celebritiesSince(
  db: Queryable,
  knownVersion: bigint,
): Promise<{ readonly version: bigint; readonly authorIds: bigint[] }> {
  const [row] = await db.query<{ version: bigint; ids: string | null }>({
    name: "celebrities-since",
    text: `
      with states as materialized (select user_id, state, epoch from celebrity_states),
        latest as (select coalesce(sum(epoch), 0)::bigint as version from states)
      select version, case when version <> $1 then (
        select string_agg(user_id::text, ',' order by user_id) from states where state <> ${NORMAL}
      ) end as ids
      from latest`,
    values: [knownVersion],
  });
  return { version: row?.version ?? 0n, authorIds: row?.ids?.split(",").map(BigInt) ?? [] };
}

/** An author who is not normal. */
export interface CelebrityOf {
  readonly userId: bigint;
  readonly state: CelebrityState;
}

/** SQL that holds when the state of `author`, a left join's row, does not fit a number of followers. */
export function misfit(
  followers: string,
  { up, down }: { readonly up: string; readonly down: string },
): string {
  return `case when author.state in (${RISING}, ${CELEBRITY})
          then ${followers} < ${down}::bigint else ${followers} >= ${up}::bigint end`;
}

/** Authors above `afterId`, up to `throughId`, whose state does not fit the number of their followers. */
export async function misfits(
  db: Queryable,
  { afterId, throughId, up, down }: Thresholds & { readonly afterId: bigint; readonly throughId: bigint },
): Promise<bigint[]> {
  const rows = await db.query<{ id: bigint }>({
    name: "misfits",
    text: `
      select counts.user_id as id
      from follow_counts as counts left join celebrity_states as author using (user_id)
      where counts.user_id > $1 and counts.user_id <= $2
        and ${misfit("followers", { up: "$3", down: "$4" })}
      order by counts.user_id`,
    values: [afterId, throughId, up, down],
  });
  return rows.map(({ id }) => id);
}
