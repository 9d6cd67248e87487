import { type ReceivedEvent, topics, UnprocessableEvent } from "@chirrup/platform";
import { CelebrityState } from "@chirrup/proto/chirrup/follow/v1/follow_service";
import { testRedis } from "@chirrup/testkit";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { newest } from "../src/domain/slice.ts";
import { outlastMs } from "../src/pipeline/celebrities.ts";
import { type FeedProcess, startFeedProcess } from "./feed-process.ts";
import { createGates } from "./gates.ts";
import { type Peers, servePeers } from "./peers.ts";
import { createTestClock } from "./test-clock.ts";
import { World } from "./world.ts";

const author = 1n;
const follower = 2n;
const followers = [follower, ...Array.from({ length: 24 }, (_, index) => BigInt(index + 3))];
const gates = createGates();
const clock = createTestClock();
let world: World;
let peers: Peers;
let feed: FeedProcess;

beforeAll(async () => {
  const { url } = await testRedis();
  peers = await servePeers(() => world, gates);
  const settings = {
    FANOUT_STREAM_PAGE: "10",
    FANOUT_BATCH: "4",
    BACKFILL_BATCH: "4",
    HOME_TIMELINE_MAX: "10",
  };
  feed = await startFeedProcess(url, peers, settings, clock);
});
beforeEach(() => feed.redis.flushdb());
afterAll(async () => {
  await feed.close();
  await peers.close();
});

/** An author with 25 followers, all events applied, and a home timeline for each user. */
async function start(celebrityThreshold: number): Promise<void> {
  world = new World([author, ...followers], celebrityThreshold);
  for (const follower of followers) world.follow(follower, author);
  await drain();
  for (const userId of world.users) {
    const build = await feed.context.homes.begin(userId);
    await feed.context.homes.commit(userId, build!, { floor: 0n, entries: [] });
  }
}

async function drain(): Promise<void> {
  for (let next = world.pending.shift(); next !== undefined; next = world.pending.shift()) await apply(next);
}

/** Lets the time pass that the work waits for. */
async function apply(received: ReceivedEvent): Promise<void> {
  const waits = clock.nextWait().then(() => clock.pass(outlastMs));
  const applied = feed.apply(received);
  await Promise.race([applied, waits]);
  await applied;
}

/** Whose home timeline has a post. */
async function holders(postId: bigint): Promise<bigint[]> {
  const ids = [...world.users];
  const slices = await feed.context.homes.read(ids, newest, 100);
  return ids.filter((_, index) => slices[index]?.entries.some((entry) => entry.postId === postId));
}

const last = (): ReceivedEvent => world.log.at(-1)!;

describe("a post", () => {
  it("reaches the home of each follower and of its author, and leaves them", async () => {
    await start(100);
    const postId = world.post(author);
    await drain();
    expect(await holders(postId)).toEqual([author, ...followers]);
    world.deletePost(postId);
    await drain();
    expect(await holders(postId)).toEqual([]);
  });

  it("reaches all when the event comes again after a failure", async () => {
    await start(100);
    const postId = world.post(author);
    gates.failNext("work listFirstFollowers");
    await expect(feed.apply(last())).rejects.toThrow("listFirstFollowers");
    expect(await holders(postId)).toEqual([author]);
    await drain();
    expect(await holders(postId)).toEqual([author, ...followers]);
  });

  it("of a celebrity reaches the author's own home and outbox only", async () => {
    await start(20);
    expect(world.stateOf(author)).toBe(CelebrityState.CELEBRITY);
    const build = await feed.context.outboxes.begin(author);
    await feed.context.outboxes.commit(author, build!, { floor: 0n, entries: [] });
    const postId = world.post(author);
    await drain();
    expect(await holders(postId)).toEqual([author]);
    const [outbox] = await feed.context.outboxes.read([author], newest, 10);
    expect(outbox?.entries).toEqual([{ postId, authorId: author }]);
  });
});

describe("a celebrity state", () => {
  it("stays rising until nobody can believe it normal", async () => {
    await start(26);
    world.users.add(99n);
    world.follow(99n, author);
    const waits = clock.nextWait();
    const risen = feed.apply(world.pending.pop()!);
    await waits;
    clock.pass(outlastMs - 1);
    expect(world.stateOf(author)).toBe(CelebrityState.RISING);
    clock.pass(1);
    await risen;
    expect(world.stateOf(author)).toBe(CelebrityState.CELEBRITY);
  });

  it("falls to normal when all homes have what was not pushed", async () => {
    await start(25);
    const postId = world.post(author);
    await drain();
    world.unfollow(follower, author);
    expect(world.stateOf(author)).toBe(CelebrityState.FALLING);
    await drain();
    expect(await holders(postId)).toEqual([author, ...followers.slice(1)]);
    expect(world.stateOf(author)).toBe(CelebrityState.NORMAL);
  });

  it("stays when the backfill failed", async () => {
    await start(25);
    world.unfollow(follower, author);
    gates.failNext("work listByAuthors");
    await expect(feed.apply(last())).rejects.toThrow("listByAuthors");
    expect(world.stateOf(author)).toBe(CelebrityState.FALLING);
  });

  it("is not moved by an event of an older epoch", async () => {
    await start(25);
    const rising = world.log.findLast(({ topic }) => topic === topics.celebrities)!;
    world.unfollow(follower, author);
    world.follow(follower, author);
    expect(world.stateOf(author)).toBe(CelebrityState.RISING);
    await apply(rising);
    expect(world.stateOf(author)).toBe(CelebrityState.RISING);
  });
});

describe("a follow", () => {
  const newcomer = 99n;

  it("brings the author's posts, and takes them away when it ends", async () => {
    await start(100);
    const postId = world.post(author);
    await drain();
    world.users.add(newcomer);
    await feed.page(newcomer);
    await feed.context.rebuilds.idle();
    world.follow(newcomer, author);
    await drain();
    expect(await holders(postId)).toContain(newcomer);
    world.unfollow(newcomer, author);
    await drain();
    expect(await holders(postId)).not.toContain(newcomer);
  });

  it("of an author with more posts than a timeline holds claims no more than it brought", async () => {
    await start(100);
    const ids = Array.from({ length: 12 }, () => world.post(author)).toReversed();
    world.users.add(newcomer);
    await feed.page(newcomer);
    await feed.context.rebuilds.idle();
    world.follow(newcomer, author);
    await feed.apply(last());
    const [home] = await feed.context.homes.read([newcomer], newest, 100);
    expect(home?.entries.map(({ postId }) => postId)).toEqual(ids.slice(0, 10));
    expect((await feed.scroll(newcomer, 5)).flat()).toEqual(ids);
  });

  it("that was made again is not undone by the end of the former", async () => {
    await start(100);
    const postId = world.post(author);
    await drain();
    world.unfollow(follower, author);
    const ended = last();
    world.follow(follower, author);
    await drain();
    await feed.apply(ended);
    expect(await holders(postId)).toContain(follower);
  });

  it("that is made again while the end of the former is applied keeps its posts", async () => {
    await start(100);
    world.unfollow(follower, author);
    const ended = world.pending.pop()!;
    // Held after the edge was seen to be gone: the consumer has lost its lease, another goes on.
    gates.holdNext("work filterFollowees");
    const held = gates.nextHeld();
    const late = feed.apply(ended);
    await held;
    world.follow(follower, author);
    await drain();
    const postId = world.post(author);
    await drain();
    gates.release();
    await late;
    expect(await holders(postId)).toContain(follower);
  });
});

describe("an event that its topic does not define", () => {
  it.each([topics.posts, topics.follows, topics.celebrities])("is unprocessable in %s", async (topic) => {
    await start(100);
    const { event } = last();
    const strange = { ...event, payload: { case: undefined } };
    await expect(feed.apply({ ...last(), topic, event: strange })).rejects.toThrow(UnprocessableEvent);
  });
});
