import { Status } from "@chirrup/grpc";
import { idTimeMs, metadataKeys } from "@chirrup/platform";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { maxFollowing } from "../src/domain/edge.ts";
import { as, range, refusal, startFollowService, type FollowServiceUnderTest } from "./follow-service.ts";

describe("following", () => {
  let service: FollowServiceUnderTest;
  beforeAll(async () => {
    service = await startFollowService();
  });
  afterAll(() => service[Symbol.asyncDispose]());

  const follow = (follower: bigint, userId: bigint) => service.client.follow({ userId }, as(follower));
  const unfollow = (follower: bigint, userId: bigint) => service.client.unfollow({ userId }, as(follower));
  const counts = async (userId: bigint) => {
    const { counts: found } = await service.client.getFollowCounts({ userId });
    return [found?.followers, found?.following];
  };
  const eventsOf = async (follower: bigint) =>
    (await service.events()).filter(({ topic, key }) => topic === "follows" && key === String(follower));

  it("makes an edge once, counts it on both sides and tells of it once", async () => {
    const before = Date.now();
    await follow(1n, 2n);
    await follow(1n, 2n);

    expect(await counts(1n)).toEqual([0n, 1n]);
    expect(await counts(2n)).toEqual([1n, 0n]);
    const { followers } = await service.client.listFollowers({ userId: 2n });
    expect(followers.map(({ userId }) => userId)).toEqual([1n]);
    const id = followers[0]?.id ?? 0n;
    expect(Math.abs(idTimeMs(id) - before)).toBeLessThan(5_000);
    expect(Number(followers[0]?.createdAt?.seconds)).toBe(Math.floor(idTimeMs(id) / 1_000));
    expect((await eventsOf(1n)).map(({ event }) => event.payload)).toMatchObject([
      { case: "followCreated", value: { followId: id, followerId: 1n, followeeId: 2n } },
    ]);
  });

  it("removes an edge once and tells of it once", async () => {
    await follow(3n, 4n);
    await unfollow(3n, 4n);
    await unfollow(3n, 4n);

    expect(await counts(3n)).toEqual([0n, 0n]);
    expect(await counts(4n)).toEqual([0n, 0n]);
    expect((await eventsOf(3n)).map(({ event }) => event.payload.case)).toEqual([
      "followCreated",
      "followDeleted",
    ]);
  });

  it("carries the trace of the request in the event", async () => {
    const traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    await service.client.follow({ userId: 6n }, as(5n, { [metadataKeys.traceparent]: traceparent }));
    const [created] = await eventsOf(5n);
    expect(created?.event).toMatchObject({ schemaVersion: 1 });
    expect(created?.event.traceparent.split("-")[1]).toBe("4bf92f3577b34da6a3ce929d0e0e4736");
  });

  it("does not repeat a follow by a key that was used before an unfollow", async () => {
    const keyed = as(7n, { [metadataKeys.idempotencyKey]: "once" });
    await service.client.follow({ userId: 8n }, keyed);
    await unfollow(7n, 8n);
    await service.client.follow({ userId: 8n }, keyed);
    expect(await counts(8n)).toEqual([0n, 0n]);
    expect(await refusal(service.client.follow({ userId: 9n }, keyed))).toMatchObject({
      code: Status.INVALID_ARGUMENT,
    });
  });

  it.each([
    ["Follow", "follow"],
    ["Unfollow", "unfollow"],
    ["GetRelationship", "getRelationship"],
  ] as const)("refuses %s of nobody, of what is no id, and of nobody's", async (_, rpc) => {
    const call = (userId: bigint) => service.client[rpc]({ userId }, as(1n));
    expect(await refusal(call(404n))).toMatchObject({ code: Status.NOT_FOUND });
    expect(await refusal(call(0n))).toMatchObject({ code: Status.INVALID_ARGUMENT });
    expect(await refusal(call(-2n))).toMatchObject({ code: Status.INVALID_ARGUMENT });
    expect(await refusal(service.client[rpc]({ userId: 2n }))).toMatchObject({
      code: Status.UNAUTHENTICATED,
    });
  });

  it("refuses to follow oneself, and takes an unfollow of oneself as done", async () => {
    expect(await refusal(follow(1n, 1n))).toMatchObject({ code: Status.INVALID_ARGUMENT });
    await unfollow(1n, 1n);
  });

  it("asks the user service only when no edge says that the user exists", async () => {
    await follow(10n, 11n);
    const asked = service.asked.length;
    await follow(10n, 11n);
    await service.client.getRelationship({ userId: 11n }, as(10n));
    await service.client.getRelationship({ userId: 10n }, as(11n));
    await service.client.listFollowers({ userId: 11n });
    await unfollow(10n, 11n);
    expect(service.asked.length).toBe(asked);
  });
});

describe("the limit of follows", () => {
  it("refuses one more, changes nothing, and gives way after an unfollow", async () => {
    const last = BigInt(maxFollowing);
    await using service = await startFollowService({ users: new Set(range(1, maxFollowing + 2)) });
    // As many edges as the rpc would make, in two statements.
    await service.postgres.query({
      name: "test-edges",
      text: "insert into follows (follower_id, followee_id, id) select 1, n, n from generate_series(2, $1::bigint) n",
      values: [last],
    });
    await service.postgres.query({
      name: "test-counts",
      text: `
        insert into follow_counts (user_id, followers, following)
        select n, (n > 1)::int, case when n = 1 then $1::bigint - 1 else 0 end from generate_series(1, $1::bigint) n`,
      values: [last],
    });

    await service.client.follow({ userId: last + 1n }, as(1n));
    expect(await refusal(service.client.follow({ userId: last + 2n }, as(1n)))).toMatchObject({
      code: Status.FAILED_PRECONDITION,
    });
    const { counts } = await service.client.getFollowCounts({ userId: last + 2n });
    expect(counts?.followers).toBe(0n);
    expect((await service.events()).length).toBe(1);

    await service.client.unfollow({ userId: 2n }, as(1n));
    await service.client.follow({ userId: last + 2n }, as(1n));
    const { followeeIds } = await service.client.listFollowees({ userId: 1n });
    expect(followeeIds).toEqual(range(3, maxFollowing + 2));
  });
});
