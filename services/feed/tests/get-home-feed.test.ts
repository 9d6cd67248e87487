import { createClient, GrpcError, Status } from "@chirrup/grpc";
import { FeedService } from "@chirrup/proto/chirrup/feed/v1/feed_service";
import { createLogger } from "@chirrup/platform";
import { testRedis } from "@chirrup/testkit";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { PageCall } from "../src/domain/page-call.ts";
import { type FeedProcess, startFeedProcess } from "./feed-process.ts";
import { createGates } from "./gates.ts";
import { type Peers, servePeers } from "./peers.ts";
import { createTestClock } from "./test-clock.ts";
import { World } from "./world.ts";

const [reader, author, stranger] = [1n, 2n, 3n] as const;
const gates = createGates();
/** Of a reader who has written nothing. */
const call: PageCall = {
  consistency: [],
  readsPrimary: false,
  log: createLogger({ service: "test", level: "silent", format: "json" }),
  onward: () => ({}),
};
const clock = createTestClock();
let world: World;
let peers: Peers;
let feed: FeedProcess;
let redisUrl: string;

beforeAll(async () => {
  redisUrl = (await testRedis()).url;
  peers = await servePeers(() => world, gates);
  feed = await startFeedProcess(redisUrl, peers, {}, clock);
});
beforeEach(async () => {
  world = new World([reader, author, stranger], 10);
  // What is kept of the world before is too old.
  clock.pass(60_000);
  await feed.redis.flushdb();
});
afterAll(async () => {
  await feed.close();
  await peers.close();
});

/** Follows the author, who writes so many posts. Oldest first. */
function posts(count: number): bigint[] {
  world.follow(reader, author);
  return Array.from({ length: count }, () => world.post(author));
}

/** Builds the reader's home timeline, as a first page does behind its back. */
async function warm(): Promise<void> {
  await feed.page(reader);
  await feed.context.rebuilds.idle();
}

/** Applies all events, and lets the time pass that a state waits for. */
async function applyAll(): Promise<void> {
  for (let next = world.pending.shift(); next !== undefined; next = world.pending.shift()) {
    const waits = clock.nextWait().then(() => clock.pass(4_000));
    const applied = feed.apply(next);
    await Promise.race([applied, waits]);
    await applied;
  }
}

async function failure(page: Promise<unknown>): Promise<GrpcError> {
  const error: unknown = await page.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof GrpcError)) throw new Error("it did not fail with a status", { cause: error });
  return error;
}

describe("a page", () => {
  it("carries posts with their authors and the reader's likes, newest first", async () => {
    const [older] = posts(1);
    const own = world.post(reader);
    world.post(stranger);
    world.likes.add(`${reader} ${older}`);
    const { items, nextCursor } = await feed.page(reader);
    expect(
      items.map(({ post, author, liked }) => [post?.id, post?.content, author?.username, liked]),
    ).toEqual([
      [own, `post ${own}`, "user_1", false],
      [older, `post ${older}`, "user_2", true],
    ]);
    expect(nextCursor).toBe("");
  });

  it("has edits, counts, likes and deletions as soon as they are there, of posts that were shown before too", async () => {
    const [first, second, third] = posts(3);
    await warm();
    const shown = async (): Promise<unknown[]> =>
      (await feed.page(reader)).items.map(({ post, liked }) => [post?.content, post?.likeCount, liked]);
    expect(await shown()).toEqual([third, second, first].map((id) => [`post ${id}`, 0n, false]));
    const edit = world.editPost(third!);
    world.likes.add(`${reader} ${second}`).add(`${stranger} ${second}`);
    world.deletePost(first!);
    expect(await shown()).toEqual([
      [`post ${edit}`, 0n, false],
      [`post ${second}`, 2n, true],
    ]);
    world.likes.delete(`${reader} ${second}`);
    expect(await shown()).toEqual([
      [`post ${edit}`, 0n, false],
      [`post ${second}`, 1n, false],
    ]);
  });

  it("shares an rpc with pages that ask meanwhile, and keeps each reader's likes apart", async () => {
    const [postId] = posts(1);
    world.follow(stranger, author);
    world.likes.add(`${stranger} ${postId}`);
    const view = async (readerId: bigint): Promise<unknown[]> => {
      const { posts: seen, likedIds } = await feed.context.seenPosts.view([postId!], readerId, call);
      return [seen.get(postId!)?.content, [...likedIds]];
    };
    // The first rpc stands still with its answer read; what comes meanwhile is asked for after it, and together.
    gates.holdNext("work viewPosts");
    const first = view(reader);
    while (gates.held() === 0) await gates.nextHeld();
    world.editPost(postId!);
    const others = [reader, stranger, reader].map(view);
    gates.failNext("work viewPosts", 1);
    gates.release();
    expect(await first).toEqual([`post ${postId}`, []]);
    const edited = `post ${world.versions.get(postId!)}`;
    expect(await Promise.all(others)).toEqual([
      [edited, []],
      [edited, [postId]],
      [edited, []],
    ]);
    // The next rpc is the first since then, so it is the one that fails.
    await expect(view(reader)).rejects.toThrow("the answer is lost");
  });

  it("is empty for a reader with nothing to read", async () => {
    expect(await feed.scroll(reader, 5)).toEqual([[]]);
  });

  it("has 20 items when no size is given, and 100 at most", async () => {
    posts(130);
    expect((await feed.page(reader)).items).toHaveLength(20);
    expect((await feed.page(reader, { pageSize: 101 })).items).toHaveLength(100);
    await warm();
    expect((await feed.page(reader, { pageSize: 101 })).items).toHaveLength(100);
  });

  it("says that it is the last exactly when it is, also when what would follow is gone", async () => {
    const oldest = posts(4).at(0)!;
    await warm();
    expect((await feed.page(reader, { pageSize: 4 })).nextCursor).toBe("");
    expect((await feed.page(reader, { pageSize: 3 })).nextCursor).not.toBe("");
    world.deletePost(oldest);
    expect((await feed.page(reader, { pageSize: 3 })).nextCursor).toBe("");
  });

  it("is filled up when many posts of the timeline are gone", async () => {
    const ids = posts(60);
    await warm();
    for (const postId of ids.slice(10, 58)) world.deletePost(postId);
    const { items } = await feed.page(reader, { pageSize: 10 });
    expect(items.map(({ post }) => post!.id)).toEqual([...ids.slice(2, 10), ...ids.slice(58)].toReversed());
  });

  it("leaves out an author who is followed no longer: when the event is applied, and at once for who has a token", async () => {
    posts(3);
    await applyAll();
    await warm();
    expect((await feed.page(reader)).items).toHaveLength(3);
    world.unfollow(reader, author);
    const [ended] = world.pending.splice(-1);
    expect((await feed.page(reader, {}, ["follow.token"])).items).toEqual([]);
    world.follow(reader, author);
    expect((await feed.page(reader)).items).toEqual([]);
    await applyAll();
    await feed.apply(ended!);
    expect((await feed.page(reader)).items).toHaveLength(3);
    world.unfollow(reader, author);
    await applyAll();
    expect((await feed.page(reader)).items).toEqual([]);
  });

  it("asks the follow service for nothing when it knows whom the reader follows", async () => {
    posts(30);
    await applyAll();
    await warm();
    await feed.page(reader);
    for (const method of ["listFollowees", "filterFollowees"]) gates.failNext(`page ${method}`);
    expect((await feed.scroll(reader, 7)).flat()).toHaveLength(30);
    gates.open();
  });

  it("goes on for readers whom it knows while the follow service is away", async () => {
    posts(30);
    await applyAll();
    await warm();
    await feed.page(reader);
    clock.pass(10_000);
    gates.failNext("work listCelebrities");
    expect((await feed.page(reader)).items).toHaveLength(20);
    gates.open();
  });

  it.each([0, 3, 30])(
    "asks the post service for no list when the timeline has it, %i posts",
    async (count) => {
      posts(count);
      await warm();
      gates.failNext("page listByAuthors");
      gates.failNext("page listFollowees");
      expect((await feed.page(reader)).items).toHaveLength(Math.min(count, 20));
      gates.open();
    },
  );

  it("has a celebrity's posts, which were not pushed, whether the outbox is kept or not", async () => {
    await warm();
    for (let fan = 10n; fan < 20n; fan++) {
      world.users.add(fan);
      world.follow(fan, author);
    }
    world.follow(reader, author);
    await applyAll();
    clock.pass(4_000);
    const ids = posts(30).toReversed();
    const kept = (): Promise<number> => feed.redis.exists(`outbox:{${author}}`);
    expect(await kept()).toBe(0);
    expect((await feed.scroll(reader, 7)).flat()).toEqual(ids);
    await feed.context.rebuilds.idle();
    expect(await kept()).toBe(1);
    gates.failNext("page listByAuthors");
    expect((await feed.scroll(reader, 7)).flat()).toEqual(ids);
    gates.open();
  });

  it("comes from the post service while Redis is away", async () => {
    posts(30);
    const cut = await startFeedProcess("redis://127.0.0.1:1", peers, { TIMELINE_READ_TIMEOUT_MS: "100" });
    expect((await cut.page(reader)).items).toHaveLength(20);
    await cut.close();
  });
});

describe("the count of new posts", () => {
  const count = async (since: string): Promise<number> => (await feed.countNew(reader, since)).count;

  it("is of those above a page's first item, up to 100", async () => {
    posts(3);
    await applyAll();
    await warm();
    const { since } = await feed.page(reader, { pageSize: 2 });
    expect(await count(since)).toBe(0);
    const [gone] = [world.post(author), world.post(reader), world.post(stranger)];
    await applyAll();
    expect(await count(since)).toBe(2);
    world.deletePost(gone);
    expect(await count(since)).toBe(1);
    for (let more = 0; more < 120; more++) world.post(author);
    await applyAll();
    expect(await count(since)).toBe(100);
  });

  it("begins with the first post of an empty feed", async () => {
    const { since } = await feed.page(reader);
    expect(await count(since)).toBe(0);
    posts(1);
    await applyAll();
    expect(await count(since)).toBe(1);
  });

  it("is refused without a place, and with another reader's", async () => {
    const { since } = await feed.page(stranger);
    for (const place of ["", "junk", since]) {
      expect((await failure(count(place))).code).toBe(Status.INVALID_ARGUMENT);
    }
  });
});

describe("a request that is not right", () => {
  it("is refused without a caller", async () => {
    const error = await failure(createClient(FeedService, feed.channel).getHomeFeed({}));
    expect(error.code).toBe(Status.UNAUTHENTICATED);
  });

  it("is refused with a negative page size", async () => {
    expect((await failure(feed.page(reader, { pageSize: -1 }))).code).toBe(Status.INVALID_ARGUMENT);
  });

  it("is refused with a cursor that is junk or another reader's", async () => {
    posts(2);
    const { nextCursor: cursor } = await feed.page(reader, { pageSize: 1 });
    expect((await failure(feed.page(stranger, { cursor }))).code).toBe(Status.INVALID_ARGUMENT);
    expect((await failure(feed.page(reader, { cursor: "junk" }))).code).toBe(Status.INVALID_ARGUMENT);
  });
});
