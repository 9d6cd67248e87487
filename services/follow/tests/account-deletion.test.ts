import { create } from "@bufbuild/protobuf";
import { Status } from "@chirrup/grpc";
import type { ReceivedEvent } from "@chirrup/platform";
import { EventSchema } from "@chirrup/proto/chirrup/events/v1/event";
import { CelebrityState } from "@chirrup/proto/chirrup/follow/v1/follow_service";
import { testLog, waitFor } from "@chirrup/testkit";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createUsersConsumer } from "../src/consumers/users.ts";
import { foldFollowers } from "../src/jobs/fold-followers.ts";
import { insertEdge } from "../src/store/edges.ts";
import { as, range, refusal, startFollowService, type FollowServiceUnderTest } from "./follow-service.ts";

let service: FollowServiceUnderTest;
beforeAll(async () => {
  service = await startFollowService({ users: new Set(range(1, 400)), thresholds: { up: 4, down: 3 } });
});
afterAll(() => service[Symbol.asyncDispose]());

const live = new AbortController().signal;

/** Applies the event that tells of a deleted account. */
function consume(userId: bigint, signal: AbortSignal = live): Promise<void> {
  const event = create(EventSchema, { payload: { case: "userDeleted", value: { userId } } });
  const received: ReceivedEvent = {
    topic: "users",
    partition: 0,
    position: "1-0",
    key: String(userId),
    event,
  };
  return createUsersConsumer({ ...service.context, log: testLog() })(received, signal);
}

const follow = (follower: bigint, userId: bigint) => service.client.follow({ userId }, as(follower));

async function counts(userId: bigint): Promise<(bigint | undefined)[]> {
  const { counts: found } = await service.client.getFollowCounts({ userId });
  return [found?.followers, found?.following];
}

/** The edges that were announced as gone, as "follower>followee". */
async function goneEdges(of: bigint): Promise<string[]> {
  return (await service.events()).flatMap(({ key, event: { payload } }) => {
    if (payload.case !== "followDeleted") return [];
    const { followerId, followeeId } = payload.value;
    expect(key).toBe(String(followerId));
    return followerId === of || followeeId === of ? [`${followerId}>${followeeId}`] : [];
  });
}

describe("a deleted account", () => {
  it("takes its edges with it, both ways, announces them, counts right and lets a celebrity fall", async () => {
    for (const follower of range(2, 4)) await follow(follower, 1n);
    for (const followee of range(2, 3)) await follow(1n, followee);
    await follow(2n, 3n);
    // 9 rises with 4 followers, and falls with fewer than 3.
    for (const follower of [1n, 2n, 3n, 4n]) await follow(follower, 9n);
    await foldFollowers(service.context, live);
    await service.client.unfollow({ userId: 9n }, as(4n));

    await consume(1n);
    await consume(1n);
    await foldFollowers(service.context, live);
    expect((await goneEdges(1n)).toSorted()).toEqual(["1>2", "1>3", "1>9", "2>1", "3>1", "4>1"]);
    expect(await counts(1n)).toEqual([0n, 0n]);
    expect(await counts(2n)).toEqual([0n, 2n]);
    expect(await counts(3n)).toEqual([1n, 1n]);
    expect(await counts(4n)).toEqual([0n, 0n]);
    expect(await counts(9n)).toEqual([2n, 0n]);
    const { ownState } = await service.client.listFollowedCelebrities({ userId: 9n });
    expect(ownState).toBe(CelebrityState.FALLING);
  });

  it("follows and is followed no more, and keeps no follow that was under way", async () => {
    const { postgres } = service;
    let erased: Promise<void> | undefined;
    await postgres.transaction(async (tx) => {
      await insertEdge(tx, { followerId: 12n, followeeId: 11n, id: 1n });
      erased = consume(11n);
      await waitFor(async () => {
        const rows = await postgres.query({
          name: "test-noted",
          text: "select from deleted_accounts where user_id = 11",
        });
        return rows.length > 0;
      });
      expect((await refusal(follow(11n, 13n))).code).toBe(Status.UNAUTHENTICATED);
      expect((await refusal(follow(13n, 11n))).code).toBe(Status.NOT_FOUND);
    });
    await erased;
    expect(await goneEdges(11n)).toEqual(["12>11"]);
    expect(await counts(12n)).toEqual([0n, 0n]);
  });

  it("is finished by the event's repetition when the first one was stopped", async () => {
    const { postgres } = service;
    await postgres.query({
      name: "test-many-edges",
      text: "insert into follows (follower_id, followee_id, id) select n, 21, n from generate_series(101, 350) n",
    });
    await postgres.query({
      name: "test-many-counts",
      text: `insert into follow_counts (user_id, followers, following)
        select n, case n when 21 then 250 else 0 end, (n <> 21)::int
        from (select 21 union all select generate_series(101, 350)) as counted (n)`,
    });
    const stopping = new AbortController();
    const stopped = consume(21n, stopping.signal);
    await waitFor(async () => (await goneEdges(21n)).length > 0, { intervalMs: 1 });
    stopping.abort(new Error("stopped"));
    await stopped.catch(() => undefined);
    await consume(21n);
    expect((await goneEdges(21n)).toSorted()).toEqual(range(101, 350).map((follower) => `${follower}>21`));
    expect(await counts(21n)).toEqual([0n, 0n]);
    expect(await counts(350n)).toEqual([0n, 0n]);
  });
});
