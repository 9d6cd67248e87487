import type { Queryable } from "@chirrup/platform";
import type { Thresholds } from "../domain/celebrity-state.ts";
import { misfit } from "./celebrity-states.ts";

/** SQL that notes a change of the followees' numbers of followers, one for each row of a CTE with `followee_id`. */
export function noteFollowers(cte: string, delta: 1 | -1): string {
  return `insert into follower_deltas (followee_id, delta) select followee_id, ${delta} from ${cte}`;
}

/** SQL of a user's changes that are not folded in yet, as a number. */
export function unfoldedFollowers(userId: string): string {
  return `(select coalesce(sum(delta), 0)::bigint from follower_deltas where followee_id = ${userId})`;
}

/**
 * Keeps other instances from folding until the transaction ends; false when one is at it. Not for correctness,
 * since a row is deleted once, but so that they do not queue for the same rows.
 */
export async function claimFold(tx: Queryable): Promise<boolean> {
  const [claim] = await tx.query<{ claimed: boolean }>({
    name: "claim-fold",
    text: `select pg_try_advisory_xact_lock(hashtextextended('chirrup.follow.fold', 0)) as claimed`,
  });
  return claim?.claimed === true;
}

/** What one fold did. */
export interface Folded {
  /** Changes that were folded in. */
  readonly deltas: bigint;
  /** Authors among those concerned whose celebrity state does not fit their number of followers. */
  readonly misfits: readonly bigint[];
}

/**
 * Folds at most `limit` changes into the numbers of followers. One statement: what is deleted is added, or
 * neither. The count rows stay locked until the transaction ends.
 */
export async function foldDeltas(
  tx: Queryable,
  { limit, up, down }: Thresholds & { readonly limit: number },
): Promise<Folded> {
  const [folded] = await tx.query<Folded>({
    name: "fold-deltas",
    text: `
      with taken as (
        delete from follower_deltas where ctid = any (array(select ctid from follower_deltas limit $1))
        returning followee_id, delta
      ), counted as (
        insert into follow_counts as counts (user_id, followers)
        select followee_id, sum(delta) from taken group by followee_id order by followee_id
        on conflict (user_id) do update set followers = counts.followers + excluded.followers
        returning user_id, followers
      )
      select (select count(*) from taken) as deltas,
        array(
          select counted.user_id
          from counted left join celebrity_states as author using (user_id)
          where ${misfit("counted.followers", { up: "$2", down: "$3" })}
          order by 1
        ) as misfits`,
    values: [limit, up, down],
  });
  return folded ?? { deltas: 0n, misfits: [] };
}
