/**
 * Folds without a pause until it is killed:
 *
 *     node -C source fold-process.ts <database URL> one-transaction | two-transactions
 *
 * The second way is a fault, which the test of the first has to find.
 */
import { leaseIds, openPostgres, type Postgres } from "@chirrup/platform";
import { testLog } from "@chirrup/testkit";
import { foldFollowers } from "../src/jobs/fold-followers.ts";

interface Delta {
  readonly followee_id: bigint;
  readonly delta: number;
}

/** Takes the changes away in one transaction and adds them in the next. */
async function foldInTwo(postgres: Postgres): Promise<void> {
  const taken = await postgres.query<Delta>({
    name: "take-deltas",
    text: "delete from follower_deltas returning followee_id, delta",
  });
  await postgres.query({
    name: "add-deltas",
    text: `
      insert into follow_counts as counts (user_id, followers)
      select id, sum(delta) from unnest($1::bigint[], $2::bigint[]) as taken (id, delta) group by id
      on conflict (user_id) do update set followers = counts.followers + excluded.followers`,
    values: [taken.map((row) => row.followee_id), taken.map((row) => row.delta)],
  });
}

const [url = "", way] = process.argv.slice(2);
const log = testLog();
const { signal } = new AbortController();
const postgres = openPostgres({ url, applicationName: "folds", maxConnections: 1, log });
const ids = await leaseIds({ postgres, log, signal });
for (;;) {
  if (way === "two-transactions") await foldInTwo(postgres);
  else await foldFollowers({ postgres, ids, thresholds: { up: 20, down: 10 } }, signal);
}
