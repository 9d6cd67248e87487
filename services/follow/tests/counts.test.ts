import { testLog } from "@chirrup/testkit";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { foldFollowers, foldUntilStopped } from "../src/jobs/fold-followers.ts";
import { insertEdge } from "../src/store/edges.ts";
import {
  as,
  freshDatabase,
  range,
  startFollowService,
  type FollowServiceUnderTest,
} from "./follow-service.ts";

const live = new AbortController().signal;

async function followersOf({ client }: FollowServiceUnderTest, userId: bigint): Promise<bigint | undefined> {
  return (await client.getFollowCounts({ userId })).counts?.followers;
}

async function unfolded({ postgres }: FollowServiceUnderTest): Promise<bigint | undefined> {
  const [row] = await postgres.query<{ count: bigint }>({
    name: "test-unfolded",
    text: "select count(*) as count from follower_deltas",
  });
  return row?.count;
}

const step = fc.oneof(
  { weight: 6, arbitrary: fc.tuple(fc.bigInt(1n, 5n), fc.bigInt(1n, 5n), fc.boolean()) },
  { weight: 2, arbitrary: fc.constant("fold" as const) },
);

describe("a number of followers", () => {
  it("is exact after any follows, unfollows and folds", async () => {
    await using service = await startFollowService();
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
        const start = new Map<bigint, bigint>();
        for (const userId of range(1, 5)) start.set(userId, (await followersOf(service, userId)) ?? 0n);
        const edges = new Set<string>();
        let left = 0n;
        for (const taken of steps) {
          if (taken === "fold") {
            await foldFollowers(service.context, live);
            left += (await unfolded(service)) ?? 1n;
          } else {
            const [follower, followee, follows] = taken;
            if (follower === followee) continue;
            await service.client[follows ? "follow" : "unfollow"]({ userId: followee }, as(follower));
            edges[follows ? "add" : "delete"](`${follower}>${followee}`);
          }
        }
        for (const userId of range(1, 5)) {
          const have = [...edges].filter((edge) => edge.endsWith(`>${userId}`)).length;
          expect([userId, await followersOf(service, userId)]).toEqual([userId, BigInt(have)]);
        }
        for (const edge of edges) {
          const [follower, followee] = edge.split(">").map(BigInt);
          await service.client.unfollow({ userId: followee ?? 0n }, as(follower ?? 0n));
        }
        expect(left).toBe(0n);
        expect([...start.values()]).toEqual([0n, 0n, 0n, 0n, 0n]);
      }),
      { numRuns: 15 },
    );
  });

  it("is exact while several instances fold and die between statements", async () => {
    const url = await freshDatabase();
    await using one = await startFollowService({ url });
    await using other = await startFollowService({ url });
    const stopping = new AbortController();
    const folding = [one, other].map(({ context }) => foldUntilStopped(context, testLog(), stopping.signal));
    let wrong = 0;
    const looking = (async () => {
      while (!stopping.signal.aborted) {
        // The followers only grow here, and a read never sees a change twice or not at all.
        const [row] = await one.postgres.query<{ edges: bigint }>({
          name: "test-edges-of",
          text: "select count(*) as edges from follows where followee_id = 1",
        });
        if (((await followersOf(other, 1n)) ?? 0n) < (row?.edges ?? 0n)) wrong += 1;
      }
    })();
    const fold = async () => {
      const dies = foldFollowers(
        {
          ...one.context,
          postgres: {
            ...one.postgres,
            transaction: (body) =>
              one.postgres.transaction(async (tx) => {
                await body(tx);
                throw new Error("died before its commit");
              }),
          },
        },
        live,
      );
      await dies.catch(() => undefined);
      await foldFollowers(other.context, live);
    };
    await Promise.all([
      ...range(2, 99).map((follower) => one.client.follow({ userId: 1n }, as(follower))),
      ...range(1, 10).map(fold),
    ]);
    stopping.abort();
    await Promise.all([...folding, looking]);
    await foldFollowers(one.context, live);
    expect([await followersOf(one, 1n), await unfolded(one), wrong]).toEqual([98n, 0n, 0]);
  });

  it("does not make those who follow the same author wait for one another", async () => {
    await using service = await startFollowService();
    await service.postgres.transaction(async (tx) => {
      await insertEdge(tx, { followerId: 2n, followeeId: 1n, id: 1n });
      await service.client.follow({ userId: 1n }, as(3n));
      expect(await followersOf(service, 1n)).toBe(1n);
    });
    expect(await followersOf(service, 1n)).toBe(2n);
  });
});
