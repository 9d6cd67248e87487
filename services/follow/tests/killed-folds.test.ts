import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { waitFor } from "@chirrup/testkit";
import { describe, expect, it, onTestFinished } from "vitest";
import { foldFollowers } from "../src/jobs/fold-followers.ts";
import {
  as,
  freshDatabase,
  range,
  startFollowService,
  type FollowServiceUnderTest,
} from "./follow-service.ts";

/** FOLD_KILLS makes the long form of it. */
const kills = Number(process.env["FOLD_KILLS"] ?? 6);
const authors = range(1, 5);
const celebrity = 1n;
const followers = range(6, 60);

/** The service, and processes that fold the numbers of its database and are killed at it. */
async function startFolding(way: "one-transaction" | "two-transactions") {
  const url = await freshDatabase();
  const service = await startFollowService({ url, thresholds: { up: 20, down: 10 } });
  onTestFinished(() => service[Symbol.asyncDispose]());
  const program = fileURLToPath(new URL("fold-process.ts", import.meta.url));

  /** Backends of the folding process, and whether they wait for a lock. */
  const backends = (): Promise<{ pid: number; waits: boolean }[]> =>
    service.postgres.query({
      name: "test-folding-backends",
      text: `select pid, wait_event_type is not distinct from 'Lock' as waits from pg_stat_activity
             where application_name = 'folds' and datname = current_database()`,
    });

  /**
   * Starts a process, lets it come into the middle of a fold, where it waits for the count of the celebrity, and kills
   * it there. `withServer`: its connection dies at once too; else the server goes on to the end of the statement.
   */
  async function foldAndDie(withServer: boolean): Promise<void> {
    await service.postgres.transaction(async (tx) => {
      await tx.query({
        name: "test-hold",
        text: `insert into follow_counts (user_id) values ($1)
               on conflict (user_id) do update set followers = follow_counts.followers`,
        values: [celebrity],
      });
      const folding = spawn(process.execPath, ["-C", "source", program, url, way], { stdio: "ignore" });
      onTestFinished(() => void folding.kill("SIGKILL"));
      await waitFor(async () => (await backends()).some(({ waits }) => waits), {
        what: "the fold waits for the celebrity's count",
        timeoutMs: 60_000,
      });
      folding.kill("SIGKILL");
      await once(folding, "exit");
      if (!withServer) return;
      for (const { pid } of await backends()) {
        await service.postgres.query({
          name: "test-terminate",
          text: "select pg_terminate_backend($1)",
          values: [pid],
        });
      }
    });
    await waitFor(async () => (await backends()).length === 0, {
      what: "the killed fold's server has ended",
    });
  }

  return { service, foldAndDie };
}

/** Each author's number of followers beside their edges, as callers are told it. */
async function differences({ client, postgres }: FollowServiceUnderTest): Promise<object[]> {
  const edges = await postgres.query<{ author: bigint; edges: bigint }>({
    name: "test-edges",
    text: "select followee_id as author, count(*) as edges from follows group by followee_id",
  });
  const wrong: object[] = [];
  for (const author of authors) {
    const have = edges.find((row) => row.author === author)?.edges ?? 0n;
    const told = (await client.getFollowCounts({ userId: author })).counts?.followers;
    if (told !== have) wrong.push({ author, told, have });
  }
  return wrong;
}

/** Changes whom some users follow, the celebrity among those followed. */
async function follow({ client }: FollowServiceUnderTest, round: number): Promise<void> {
  await client.follow({ userId: celebrity }, as(followers[round % followers.length] ?? 0n));
  await Promise.all(
    followers.map((follower, index) => {
      const author = authors[(index + round) % authors.length] ?? celebrity;
      const change = author !== celebrity && (index + round) % 3 === 0 ? "unfollow" : "follow";
      return client[change]({ userId: author }, as(follower));
    }),
  );
}

describe("a number of followers whose fold is killed in the middle", { timeout: 300_000 }, () => {
  it("is exact after every kill, and when all is folded in", async () => {
    const { service, foldAndDie } = await startFolding("one-transaction");
    for (let round = 0; round < kills; round += 1) {
      await follow(service, round);
      await foldAndDie(round % 2 === 0);
      expect(await differences(service), `after kill ${round + 1}`).toEqual([]);
    }
    await foldFollowers(service.context, new AbortController().signal);
    expect(await differences(service)).toEqual([]);
    const [left] = await service.postgres.query<{ deltas: bigint; celebrities: bigint[] }>({
      name: "test-left",
      text: `select (select count(*) from follower_deltas) as deltas,
               array(select user_id from celebrity_states where state <> 1 order by 1) as celebrities`,
    });
    expect(left?.deltas).toBe(0n);
    expect(left?.celebrities).toContain(celebrity);
  });

  it("is found wrong when a fold takes changes in one transaction and adds them in the next", async () => {
    const { service, foldAndDie } = await startFolding("two-transactions");
    await follow(service, 0);
    await foldAndDie(true);
    expect(await differences(service)).not.toEqual([]);
  });
});
