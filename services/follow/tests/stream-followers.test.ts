import { Status } from "@chirrup/grpc";
import { CelebrityState } from "@chirrup/proto/chirrup/follow/v1/follow_service";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { range, refusal, startFollowService, type FollowServiceUnderTest } from "./follow-service.ts";

describe("reads for a fan-out", () => {
  const author = 1_000_000n;
  const queries: string[] = [];
  let service: FollowServiceUnderTest;
  beforeAll(async () => {
    service = await startFollowService({ onQuery: (name) => queries.push(name) });
    for (let first = 1; first < 200_000; first += 20_000) {
      await service.postgres.query({
        name: "test-edges",
        text: `insert into follows (follower_id, followee_id, id)
          select n, $1, n from generate_series($2::bigint, $2::bigint + 19999) n`,
        values: [author, first],
      });
    }
  });
  afterAll(() => service[Symbol.asyncDispose]());

  async function messages(request: { userId: bigint; afterUserId?: bigint; pageSize?: number }) {
    const read: { state: CelebrityState; followerIds: bigint[] }[] = [];
    for await (const message of service.client.streamFollowers(request)) read.push(message);
    return read;
  }

  it("streams all followers in ascending order, in pages", async () => {
    const read = await messages({ userId: author, afterUserId: 195_000n, pageSize: 2_000 });
    expect(read.map(({ followerIds }) => followerIds.length)).toEqual([2_000, 2_000, 1_000]);
    expect(read.flatMap(({ followerIds }) => followerIds)).toEqual(range(195_001, 200_000));
  });

  it("has 1,000 followers in a message unless told, and at most 5,000", async () => {
    const sizes = async (pageSize: number) =>
      (await messages({ userId: author, afterUserId: 194_000n, pageSize })).map((m) => m.followerIds.length);
    expect(await sizes(0)).toEqual(Array(6).fill(1_000));
    expect(await sizes(9_999)).toEqual([5_000, 1_000]);
  });

  it("begins with a message even when nobody follows, with the author's state", async () => {
    expect(await messages({ userId: 5n })).toMatchObject([{ state: CelebrityState.NORMAL, followerIds: [] }]);
    await service.postgres.query({
      name: "test-state",
      text: "insert into celebrity_states (user_id, state, epoch) values (6, 3, 2)",
    });
    expect(await messages({ userId: 6n })).toMatchObject([{ state: CelebrityState.CELEBRITY }]);
  });

  it("reads no further than the client does, and stops when the client leaves", async () => {
    const pages = () => queries.filter((name) => name === "follower-ids").length;
    const before = pages();
    const otherCalls = async () => {
      for (const userId of range(1, 50)) await service.client.listFollowees({ userId });
    };
    let received = 0;
    for await (const message of service.client.streamFollowers({ userId: author, pageSize: 1_000 })) {
      received += message.followerIds.length;
      if (received > 1_000) break;
      await otherCalls();
    }
    await otherCalls();
    // Of 200 pages; what the transport holds for the client has been read ahead.
    expect(pages() - before).toBeLessThan(200);
  });

  it("tells of several authors how their followers begin, in the order asked, in one statement", async () => {
    await service.postgres.query({
      name: "test-few",
      text: `
        with edges as (
          insert into follows (follower_id, followee_id, id)
          values (11, 21, 300001), (12, 21, 300002), (11, 22, 300003), (11, 23, 300004)
        )
        insert into celebrity_states (user_id, state, epoch) values (22, 3, 2), (23, 2, 1)`,
    });
    const before = queries.length;
    const { authors } = await service.client.listFirstFollowers({
      userIds: [23n, author, 0n, 22n, 21n, author],
      pageSize: 2,
    });
    expect(queries.slice(before)).toEqual(["first-followers"]);
    const { NORMAL, RISING, CELEBRITY } = CelebrityState;
    expect(authors).toMatchObject([
      { state: RISING, followerIds: [11n] },
      { state: NORMAL, followerIds: [1n, 2n] },
      { state: NORMAL, followerIds: [] },
      { state: CELEBRITY, followerIds: [] },
      { state: NORMAL, followerIds: [11n, 12n] },
      { state: NORMAL, followerIds: [1n, 2n] },
    ]);
    expect((await service.client.listFirstFollowers({ userIds: [] })).authors).toEqual([]);
    expect((await service.client.listFirstFollowers({ userIds: [author] })).authors[0]?.followerIds).toEqual(
      range(1, 1_000),
    );
    const tooMany = service.client.listFirstFollowers({ userIds: range(1, 33) });
    expect((await refusal(tooMany)).code).toBe(Status.INVALID_ARGUMENT);
  });

  it("refuses what is no id", async () => {
    const first = (request: { userId: bigint; afterUserId?: bigint; pageSize?: number }) =>
      refusal(messages(request));
    expect((await first({ userId: 0n })).code).toBe(Status.INVALID_ARGUMENT);
    expect((await first({ userId: 1n, afterUserId: -1n })).code).toBe(Status.INVALID_ARGUMENT);
    expect((await first({ userId: 1n, pageSize: -1 })).code).toBe(Status.INVALID_ARGUMENT);
  });

  it("says which of some users a user follows", async () => {
    const filter = (candidateIds: bigint[]) => service.client.filterFollowees({ userId: 7n, candidateIds });
    expect((await filter([3n, author, author, 9n])).followeeIds).toEqual([author]);
    expect((await filter([])).followeeIds).toEqual([]);
    expect((await filter(range(1, 1_000))).followeeIds).toEqual([]);
    expect((await refusal(filter(range(1, 1_001)))).code).toBe(Status.INVALID_ARGUMENT);
    expect((await service.client.listFollowees({ userId: 7n })).followeeIds).toEqual([author]);
  });
});
