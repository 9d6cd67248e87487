import { Status } from "@chirrup/grpc";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { as, range, refusal, startFollowService, type FollowServiceUnderTest } from "./follow-service.ts";

describe("lists", () => {
  let service: FollowServiceUnderTest;
  beforeAll(async () => {
    service = await startFollowService();
    // 1 is followed by 2 … 8 and follows 11 … 17, in this order.
    for (const other of range(2, 8)) await service.client.follow({ userId: 1n }, as(other));
    for (const other of range(11, 17)) await service.client.follow({ userId: other }, as(1n));
  });
  afterAll(() => service[Symbol.asyncDispose]());

  async function pages(rpc: "listFollowers" | "listFollowing", pageSize: number): Promise<bigint[][]> {
    const read: bigint[][] = [];
    let cursor = "";
    do {
      const response = await service.client[rpc]({ userId: 1n, cursor, pageSize });
      read.push(
        ("followers" in response ? response.followers : response.following).map(({ userId }) => userId),
      );
      cursor = response.nextCursor;
    } while (cursor !== "");
    return read;
  }

  it("come newest first, in pages, and say when they end", async () => {
    expect(await pages("listFollowers", 3)).toEqual([[8n, 7n, 6n], [5n, 4n, 3n], [2n]]);
    expect(await pages("listFollowing", 3)).toEqual([[17n, 16n, 15n], [14n, 13n, 12n], [11n]]);
  });

  it("have no empty page after a full one", async () => {
    expect(await pages("listFollowers", 7)).toEqual([range(2, 8).toReversed()]);
    expect(await pages("listFollowing", 0)).toEqual([range(11, 17).toReversed()]);
  });

  it("neither skip nor repeat when the graph changes between pages", async () => {
    const first = await service.client.listFollowers({ userId: 1n, pageSize: 3 });
    await service.client.follow({ userId: 1n }, as(20n));
    await service.client.unfollow({ userId: 1n }, as(6n));
    const second = await service.client.listFollowers({ userId: 1n, pageSize: 3, cursor: first.nextCursor });
    expect(second.followers.map(({ userId }) => userId)).toEqual([5n, 4n, 3n]);
    await service.client.unfollow({ userId: 1n }, as(20n));
    await service.client.follow({ userId: 1n }, as(6n));
  });

  it("refuse a cursor of another list, of another user, and junk", async () => {
    const { nextCursor: cursor } = await service.client.listFollowers({ userId: 1n, pageSize: 1 });
    const calls = [
      service.client.listFollowing({ userId: 1n, cursor }),
      service.client.listFollowers({ userId: 2n, cursor }),
      service.client.listFollowers({ userId: 1n, cursor: "junk" }),
      service.client.listFollowers({ userId: 1n, pageSize: -1 }),
    ];
    for (const { code } of await Promise.all(calls.map(refusal))) expect(code).toBe(Status.INVALID_ARGUMENT);
  });

  it("are empty for a user without edges and NOT_FOUND for nobody", async () => {
    for (const rpc of ["listFollowers", "listFollowing", "getFollowCounts"] as const) {
      await service.client[rpc]({ userId: 99n });
      expect((await refusal(service.client[rpc]({ userId: 404n }))).code).toBe(Status.NOT_FOUND);
      expect((await refusal(service.client[rpc]({ userId: 0n }))).code).toBe(Status.INVALID_ARGUMENT);
    }
    expect(await service.client.listFollowers({ userId: 99n })).toMatchObject({
      followers: [],
      nextCursor: "",
    });
  });
});

describe("a relationship", () => {
  it("tells both directions, and none with oneself", async () => {
    await using service = await startFollowService();
    await service.client.follow({ userId: 2n }, as(1n));
    const between = async (caller: bigint, userId: bigint) =>
      (await service.client.getRelationship({ userId }, as(caller))).relationship;
    expect(await between(1n, 2n)).toMatchObject({ following: true, followedBy: false });
    expect(await between(2n, 1n)).toMatchObject({ following: false, followedBy: true });
    expect(await between(1n, 3n)).toMatchObject({ following: false, followedBy: false });
    expect(await between(1n, 1n)).toMatchObject({ following: false, followedBy: false });
  });
});
