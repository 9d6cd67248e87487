import { openPostgres } from "@chirrup/platform";
import { testLog } from "@chirrup/testkit";
import { describe, expect, it } from "vitest";
import { as, freshDatabase, startFollowService, type FollowServiceUnderTest } from "./follow-service.ts";

const users = [1n, 2n, 3n, 4n];

/** Fifty callers at once, each following and unfollowing the same few pairs in both directions. */
async function stir({ client }: FollowServiceUnderTest): Promise<void> {
  await Promise.all(
    Array.from({ length: 50 }, async (_, caller) => {
      for (let turn = 0; turn < 12; turn += 1) {
        const follower = users[(caller + turn) % users.length] ?? 0n;
        const followee = users[(caller + turn + 1 + (caller % 3)) % users.length] ?? 0n;
        if (follower === followee) continue;
        const rpc = (caller * 7 + turn * 3) % 5 < 3 ? client.follow : client.unfollow;
        await rpc({ userId: followee }, as(follower));
      }
    }),
  );
}

/** [follower, followee] pairs, sorted. */
async function storedEdges({ postgres }: FollowServiceUnderTest): Promise<string[]> {
  const rows = await postgres.query<{ edge: string }>({
    name: "test-all-edges",
    text: "select follower_id || '>' || followee_id as edge from follows order by 1",
  });
  return rows.map(({ edge }) => edge);
}

describe("follows and unfollows at once", () => {
  it("keep counts and edges equal, events in order, and never deadlock", async () => {
    const url = await freshDatabase();
    {
      await using service = await startFollowService({ url, maxConnections: 40 });
      await stir(service);

      const edges = await storedEdges(service);
      for (const userId of users) {
        const { counts } = await service.client.getFollowCounts({ userId });
        expect(counts).toMatchObject({
          followers: BigInt(edges.filter((edge) => edge.endsWith(`>${userId}`)).length),
          following: BigInt(edges.filter((edge) => edge.startsWith(`${userId}>`)).length),
        });
      }

      const told = new Map<string, bigint>();
      for (const { event } of await service.events()) {
        const { case: kind, value } = event.payload;
        if (kind !== "followCreated" && kind !== "followDeleted") throw new Error(`unexpected ${kind}`);
        const edge = `${value.followerId}>${value.followeeId}`;
        // An edge's events take turns, and the end tells of the edge that the beginning told of.
        expect(told.get(edge)).toBe(kind === "followCreated" ? undefined : value.followId);
        if (kind === "followCreated") told.set(edge, value.followId);
        else told.delete(edge);
      }
      expect([...told.keys()].toSorted()).toEqual(edges);
    }

    // Transactions try again after a deadlock, so only the server knows whether there was one. Its
    // connections have told by the time they have ended.
    const postgres = openPostgres({ url, applicationName: "follow-test", log: testLog() });
    const [row] = await postgres.query<{ deadlocks: bigint }>({
      name: "test-deadlocks",
      text: "select deadlocks from pg_stat_database where datname = current_database()",
    });
    await postgres.close();
    expect(row?.deadlocks).toBe(0n);
  });
});
