import type { Postgres, Queryable } from "@chirrup/platform";
import type { Stage } from "./processes.ts";

/** Ways to keep a count beside its rows, all on one busy thing, over the connections of one pool. */
export const ways = [
  "row",
  "shards",
  "deltas",
  "shards-shared",
  "deltas-shared",
  "tx-row",
  "tx-deltas",
] as const;
export type Way = (typeof ways)[number];

const concurrency = 256;
const shared = 256;

const tables = [
  "create table counted (id bigint primary key, n bigint not null default 0) with (fillfactor = 70)",
  `create table counted_rows (id bigint not null references counted, user_id bigint not null,
    primary key (user_id, id))`,
  `create table counted_shards (id bigint not null, shard smallint not null, n bigint not null,
    primary key (id, shard)) with (fillfactor = 70)`,
  "create table counted_deltas (id bigint not null, delta bigint not null)",
  "create index on counted_deltas (id)",
  "create table counted_events (payload bytea not null)",
];

const count = {
  row: "update counted set n = counted.n + added.n from added where counted.id = added.id",
  shards: `insert into counted_shards as s (id, shard, n) select id, floor(random() * 8), n from added
    on conflict (id, shard) do update set n = s.n + excluded.n`,
  deltas: "insert into counted_deltas (id, delta) select id, n from added",
};

/** Rows of some users and their count, in one statement. */
async function addRows(
  db: Queryable,
  how: keyof typeof count,
  id: bigint,
  users: readonly number[],
): Promise<void> {
  await db.query({
    name: `bench-add-${how}`,
    text: `
      with thing as (select id from counted where id = $1 for key share), fresh as (
        insert into counted_rows (id, user_id)
        select thing.id, wanted from thing, unnest($2::bigint[]) as wanted order by wanted
        on conflict do nothing returning id
      ), added as (select id, count(*) as n from fresh group by id)
      ${count[how]}`,
    values: [id, users],
  });
}

/** As a follow does it: the row and its count, then an event, then the commit. */
function addInTransaction(
  postgres: Postgres,
  how: "row" | "deltas",
  id: bigint,
  user: number,
): Promise<void> {
  return postgres.transaction(async (tx) => {
    await addRows(tx, how, id, [user]);
    await tx.query({
      name: "bench-event",
      text: "insert into counted_events (payload) values ($1)",
      values: [Buffer.alloc(64)],
    });
  });
}

export async function makeCountingTables({ postgres }: Stage): Promise<void> {
  for (const [index, text] of tables.entries())
    await postgres.query({ name: `bench-counting-${index}`, text });
}

/** As many users as `total` add a row to one new thing, 256 callers at a time; rows a second. */
export async function countOneThing(
  { postgres }: Stage,
  way: Way,
  id: bigint,
  total: number,
): Promise<number> {
  await postgres.query({ name: "bench-thing", text: "insert into counted (id) values ($1)", values: [id] });
  const [first, second] = way.split("-");
  const startMs = performance.now();
  if (second === "shared") {
    // As the service does it: one statement at a time for a busy thing, with all who have come meanwhile.
    for (let done = 0; done < total; done += shared) {
      const users = Array.from({ length: Math.min(shared, total - done) }, (_, index) => done + index);
      await addRows(postgres, first === "shards" ? "shards" : "deltas", id, users);
    }
  } else {
    let next = 0;
    const add = (user: number): Promise<void> =>
      first === "tx"
        ? addInTransaction(postgres, second === "row" ? "row" : "deltas", id, user)
        : addRows(postgres, way === "row" || way === "shards" ? way : "deltas", id, [user]);
    await Promise.all(
      Array.from({ length: concurrency }, async () => {
        while (next < total) await add(next++);
      }),
    );
  }
  return total / ((performance.now() - startMs) / 1_000);
}
