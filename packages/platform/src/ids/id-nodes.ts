import type { Queryable } from "../postgres/index.ts";

/** A node number's row, as its holder's statement left it. */
export interface NodeRow {
  node: number;
  /** The highest time (ms since 1970) of any id by earlier holders, or at a renewal, by any holder. */
  floorMs: number;
  highWaterMs: number;
}

/** What a holder wants of its node. */
export interface NodeClaim {
  holder: string;
  leaseMs: number;
  /** The holder's clock, ms since 1970. */
  wallMs: number;
  /** The highest time that the holder may put into an id. */
  highWaterMs: number;
}

/**
 * Takes a free node number; undefined when there is none. One statement, so it needs no transaction; rows
 * that another one is just taking are skipped, not waited for.
 *
 * A node whose high water is not behind the claimant's clock is passed over: it would have to wait.
 */
export async function takeNode(db: Queryable, claim: NodeClaim): Promise<NodeRow | undefined> {
  const [row] = await db.query<{ node: number; floor_ms: bigint; high_water_ms: bigint }>({
    name: "id_nodes_take",
    // Materialized, or the planner might run the locking sub-select once for each row that it joins.
    text: `
      with free as materialized (
        select node, high_water_ms from id_nodes
        where expires_at <= clock_timestamp() and high_water_ms < $3
        order by expires_at, node
        limit 1
        for update skip locked
      )
      update id_nodes
      set holder = $1, expires_at = clock_timestamp() + $2 * interval '1 ms', high_water_ms = $4
      from free
      where id_nodes.node = free.node
      returning id_nodes.node, free.high_water_ms as floor_ms, id_nodes.high_water_ms`,
    values: [claim.holder, claim.leaseMs, claim.wallMs, claim.highWaterMs],
  });
  return row && { node: row.node, floorMs: Number(row.floor_ms), highWaterMs: Number(row.high_water_ms) };
}

/** Extends a holder's lease, even one that has expired, if nobody else has taken the node; else undefined. */
export async function renewNode(
  db: Queryable,
  node: number,
  claim: NodeClaim,
): Promise<{ highWaterMs: number } | undefined> {
  const [row] = await db.query<{ high_water_ms: bigint }>({
    name: "id_nodes_renew",
    text: `
      update id_nodes
      set expires_at = clock_timestamp() + $3 * interval '1 ms', high_water_ms = greatest(high_water_ms, $4)
      where node = $1 and holder = $2
      returning high_water_ms`,
    values: [node, claim.holder, claim.leaseMs, claim.highWaterMs],
  });
  return row && { highWaterMs: Number(row.high_water_ms) };
}

/** Frees a holder's node at once; `lastMs` is the latest time that an id of it may hold. */
export async function releaseNode(
  db: Queryable,
  node: number,
  holder: string,
  lastMs: number,
): Promise<void> {
  await db.query({
    name: "id_nodes_release",
    text: `
      update id_nodes set expires_at = clock_timestamp(), high_water_ms = $3
      where node = $1 and holder = $2`,
    values: [node, holder, lastMs],
  });
}
