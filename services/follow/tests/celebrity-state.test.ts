import { testLog } from "@chirrup/testkit";
import { CelebrityState } from "@chirrup/proto/chirrup/follow/v1/follow_service";
import { describe, expect, it } from "vitest";
import { foldFollowers } from "../src/jobs/fold-followers.ts";
import { reconcileCelebrityStates, reconcileUntilDone } from "../src/jobs/reconcile-celebrity-states.ts";
import {
  as,
  freshDatabase,
  range,
  startFollowService,
  type FollowServiceUnderTest,
} from "./follow-service.ts";

const { NORMAL, RISING, CELEBRITY, FALLING } = CelebrityState;
const thresholds = { up: 4, down: 3 };
const author = 1n;

const live = new AbortController().signal;

async function follow({ client, context }: FollowServiceUnderTest, ...followers: bigint[]): Promise<void> {
  await Promise.all(followers.map((follower) => client.follow({ userId: author }, as(follower))));
  await foldFollowers(context, live);
}
async function unfollow({ client, context }: FollowServiceUnderTest, ...followers: bigint[]): Promise<void> {
  await Promise.all(followers.map((follower) => client.unfollow({ userId: author }, as(follower))));
  await foldFollowers(context, live);
}

/** The author's published changes as [state, epoch]. */
async function changes(service: FollowServiceUnderTest, of = author): Promise<[number, bigint][]> {
  return (await service.events()).flatMap(({ topic, key, event: { payload } }) =>
    topic === "celebrities" && key === String(of) && payload.case === "celebrityStateChanged"
      ? [[payload.value.state, payload.value.epoch]]
      : [],
  );
}

describe("celebrity state", () => {
  it("rises at the threshold, falls below the lower one, and moves on when its work is done", async () => {
    await using service = await startFollowService({ thresholds });
    const advance = async (epoch: bigint) =>
      (await service.client.advanceCelebrityState({ userId: author, epoch })).state;
    await follow(service, 2n, 3n, 4n);
    expect(await changes(service)).toEqual([]);
    expect(await advance(0n)).toBe(NORMAL);

    await follow(service, 5n);
    expect(await changes(service)).toEqual([[RISING, 1n]]);
    expect(await advance(0n)).toBe(RISING);
    expect(await advance(1n)).toBe(CELEBRITY);
    expect(await advance(1n)).toBe(CELEBRITY);

    await unfollow(service, 5n);
    expect(await advance(2n)).toBe(CELEBRITY);
    await unfollow(service, 4n);
    await follow(service, 4n, 5n);
    // Rose again before the work was done, which is now the work of an old epoch.
    expect(await advance(3n)).toBe(RISING);
    await unfollow(service, 4n, 5n);
    expect(await advance(5n)).toBe(NORMAL);
    expect(await changes(service)).toEqual([
      [RISING, 1n],
      [CELEBRITY, 2n],
      [FALLING, 3n],
      [RISING, 4n],
      [FALLING, 5n],
      [NORMAL, 6n],
    ]);
  });

  it("tells a reader whom to merge, and their own state", async () => {
    await using service = await startFollowService({ thresholds });
    const around = async (userId: bigint) => {
      const { followeeIds, ownState } = await service.client.listFollowedCelebrities({ userId });
      return { followeeIds, ownState };
    };
    await follow(service, 2n, 3n, 4n, 5n);
    await service.client.follow({ userId: 50n }, as(2n));
    expect(await around(2n)).toEqual({ followeeIds: [author], ownState: NORMAL });
    expect(await around(author)).toEqual({ followeeIds: [], ownState: RISING });
    expect(await around(60n)).toEqual({ followeeIds: [], ownState: NORMAL });

    await unfollow(service, 4n, 5n);
    expect(await around(2n)).toEqual({ followeeIds: [author], ownState: NORMAL });
    await service.client.advanceCelebrityState({ userId: author, epoch: 2n });
    expect(await around(2n)).toEqual({ followeeIds: [], ownState: NORMAL });
  });

  it("lists all who are not normal, and tells by the version whether anything changed", async () => {
    await using service = await startFollowService({ thresholds });
    const list = (knownVersion: bigint) => service.client.listCelebrities({ knownVersion });
    expect(await list(0n)).toMatchObject({ version: 0n, authorIds: [] });
    await follow(service, 2n, 3n, 4n, 5n);
    expect(await list(0n)).toMatchObject({ version: 1n, authorIds: [author] });
    expect(await list(1n)).toMatchObject({ version: 1n, authorIds: [] });
    await service.client.advanceCelebrityState({ userId: author, epoch: 1n });
    expect(await list(1n)).toMatchObject({ version: 2n, authorIds: [author] });
    await unfollow(service, 4n, 5n);
    await service.client.advanceCelebrityState({ userId: author, epoch: 3n });
    expect(await list(3n)).toMatchObject({ version: 4n, authorIds: [] });
  });

  it("changes once when many cross the threshold at once", async () => {
    await using service = await startFollowService({ thresholds: { up: 20, down: 18 } });
    await follow(service, ...range(2, 60));
    expect(await changes(service)).toEqual([[RISING, 1n]]);
    await unfollow(service, ...range(2, 60));
    expect(await changes(service)).toEqual([
      [RISING, 1n],
      [FALLING, 2n],
    ]);
  });
});

describe("reconciliation", () => {
  it("fits the states to changed thresholds, once, by two instances at once", async () => {
    const url = await freshDatabase();
    const never = new AbortController().signal;
    {
      await using before = await startFollowService({ url });
      await follow(before, ...range(2, 9));
      expect(await changes(before)).toEqual([]);
    }
    {
      await using one = await startFollowService({ url, thresholds });
      await using other = await startFollowService({ url, thresholds });
      await Promise.all([one, other].map(({ context }) => reconcileCelebrityStates(context, never)));
      expect(await changes(one)).toEqual([[RISING, 1n]]);
      await one.client.advanceCelebrityState({ userId: author, epoch: 1n });
    }
    {
      await using after = await startFollowService({ url, thresholds: { up: 10, down: 9 } });
      await reconcileUntilDone(after.context, testLog(), never);
      expect(await changes(after)).toEqual([
        [RISING, 1n],
        [CELEBRITY, 2n],
        [FALLING, 3n],
      ]);
      expect(await reconcileCelebrityStates(after.context, never)).toBe(0);
    }
  });

  it("goes through more authors than one statement looks at", async () => {
    await using service = await startFollowService({ thresholds });
    await service.postgres.query({
      name: "test-counts",
      text: `
        insert into follow_counts (user_id, followers)
        select n, case when n % 4000 = 0 then 4 else 3 end from generate_series(1, 12000) n`,
    });
    expect(await reconcileCelebrityStates(service.context, new AbortController().signal)).toBe(3);
    for (const userId of [4_000n, 8_000n, 12_000n]) expect(await changes(service, userId)).toHaveLength(1);
  });
});
