import fc from "fast-check";

/** Those who are there from the beginning. */
export const userIds = [1n, 2n, 3n, 4n] as const;
/** Those who may register later. */
export const newcomerIds = [5n, 6n] as const;

/** One thing that happens. `nth` chooses among what there is at that moment, `process` is one of two. */
export type Step =
  | { do: "post" | "reserve"; user: bigint }
  | { do: "publish" | "delete" | "evict"; nth: number }
  | { do: "follow" | "unfollow"; user: bigint; other: bigint }
  /** All follow a user; all but one end it. */
  | { do: "gather" | "scatter"; user: bigint }
  | { do: "register" | "erase" }
  | { do: "tick"; ms: number }
  | { do: "leave" | "lose"; user: bigint }
  /** Reads on in a feed, from its top when nobody is in the middle of it. */
  | { do: "scroll"; user: bigint; process: 0 | 1; pageSize: number; wait: boolean }
  /** The process dies, with all that it was doing, and another is started in its place. */
  | { do: "crash"; process: 0 | 1 }
  | { do: "deliver" | "redeliver"; nth: number; process: 0 | 1; wait: boolean }
  | { do: "read"; user: bigint; process: 0 | 1; wait: boolean }
  | { do: "hold"; method: string }
  /** The answer is lost that comes after so many others. */
  | { do: "fail"; method: string; after: number }
  | { do: "release" | "flush" | "settle" };

const user = fc.oneof(
  { weight: 9, arbitrary: fc.constantFrom(...userIds) },
  { weight: 1, arbitrary: fc.constantFrom(...newcomerIds) },
);
/** One of them is followed more than others, and so turns celebrity and back. */
const followee = fc.oneof({ weight: 2, arbitrary: fc.constant(userIds[0]) }, { weight: 3, arbitrary: user });
const nth = fc.nat({ max: 1_000 });
const process = fc.constantFrom(0 as const, 1 as const);
const wait = fc.boolean();
const tickMs = fc.constantFrom(700, 1_500, 4_500);
const pageSize = fc.integer({ min: 1, max: 4 });
const scroll = fc.record({ do: fc.constant("scroll" as const), user, process, pageSize, wait });
/** Of work in the background, and of pages. */
const method = fc.constantFrom(
  "work listByAuthors",
  "work listFollowees",
  "work filterFollowees",
  "work streamFollowers",
  "work listFirstFollowers",
  "work advanceCelebrityState",
  "work listCelebrities",
  "page listFollowees",
  "page listByAuthors",
  "work viewPosts",
);

const after = fc.nat({ max: 3 });

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 45, arbitrary: fc.record({ do: fc.constant("post" as const), user: followee }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant("reserve" as const), user }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant("publish" as const), nth }) },
  { weight: 8, arbitrary: fc.record({ do: fc.constant("delete" as const), nth }) },
  { weight: 20, arbitrary: fc.record({ do: fc.constant("follow" as const), user, other: followee }) },
  { weight: 12, arbitrary: fc.record({ do: fc.constant("unfollow" as const), user, other: followee }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant("gather" as const), user: followee }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant("scatter" as const), user: followee }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("leave" as const), user }) },
  { weight: 40, arbitrary: fc.record({ do: fc.constant("deliver" as const), nth, process, wait }) },
  { weight: 8, arbitrary: fc.record({ do: fc.constant("redeliver" as const), nth, process, wait }) },
  { weight: 12, arbitrary: fc.record({ do: fc.constant("settle" as const) }) },
  { weight: 30, arbitrary: fc.record({ do: fc.constant("read" as const), user, process, wait }) },
  { weight: 30, arbitrary: scroll },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("register" as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("erase" as const) }) },
  { weight: 12, arbitrary: fc.record({ do: fc.constant("tick" as const), ms: tickMs }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("crash" as const), process }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant("release" as const) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("fail" as const), method, after }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("flush" as const) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant("evict" as const), nth }) },
);

/** Work that stands still in the middle, with an answer read and not yet used, while other things happen. */
const stall: fc.Arbitrary<Step[]> = fc
  .record({
    method,
    work: fc.oneof(
      fc.record({ do: fc.constant("read" as const), user, process, wait: fc.constant(true) }),
      fc.record({ do: fc.constant("scroll" as const), user, process, pageSize, wait: fc.constant(true) }),
      fc.record({ do: fc.constant("deliver" as const), nth, process, wait: fc.constant(true) }),
      fc.record({ do: fc.constant("redeliver" as const), nth, process, wait: fc.constant(true) }),
    ),
    meanwhile: fc.array(step, { maxLength: 10, size: "max" }),
  })
  .map(({ method, work, meanwhile }) => [{ do: "hold", method }, work, ...meanwhile, { do: "release" }]);

/** The same, with a build. */
const stalledBuild: fc.Arbitrary<Step[]> = fc
  .record({
    method: fc.constantFrom("work listByAuthors", "work listFollowees"),
    user,
    process,
    meanwhile: fc.array(step, { maxLength: 12, size: "max" }),
  })
  .map(({ method, user, process, meanwhile }) => [
    { do: "lose", user },
    { do: "hold", method },
    { do: "read", user, process, wait: true },
    ...meanwhile,
    { do: "release" },
  ]);

/** The same, with a process that begins anew and looks up a reader's followees while these change. */
const stalledLookup: fc.Arbitrary<Step[]> = fc
  .record({ change: fc.constantFrom("follow" as const, "unfollow" as const), user, other: followee, process })
  .map(({ change, user, other, process }) => [
    { do: "settle" },
    { do: "crash", process },
    { do: "hold", method: "page listFollowees" },
    { do: "read", user, process, wait: true },
    { do: change, user, other },
    { do: "deliver", nth: 0, process: process === 0 ? 1 : 0, wait: true },
    { do: "release" },
  ]);

/** The same, with an unfollow between what a build has read and what it writes. */
const unfollowDuringBuild: fc.Arbitrary<Step[]> = fc
  .record({ user, other: followee, process })
  .map(({ user, other, process }) => [
    { do: "follow", user, other },
    { do: "post", user: other },
    { do: "settle" },
    { do: "lose", user },
    { do: "hold", method: "work listByAuthors" },
    { do: "read", user, process, wait: true },
    { do: "unfollow", user, other },
    { do: "deliver", nth: 0, process: process === 0 ? 1 : 0, wait: true },
    { do: "release" },
  ]);

/** The end of a follow is being applied, by a process that has lost its lease, when the follow is made again. */
const followDuringUnfollow: fc.Arbitrary<Step[]> = fc
  .record({
    method: fc.constantFrom("work filterFollowees", "work listByAuthors"),
    user,
    other: followee,
    process,
  })
  .map(({ method, user, other, process }) => [
    { do: "follow", user, other },
    { do: "post", user: other },
    { do: "settle" },
    { do: "read", user, process, wait: true },
    { do: "unfollow", user, other },
    { do: "hold", method },
    { do: "deliver", nth: 0, process, wait: true },
    { do: "follow", user, other },
    { do: "deliver", nth: 0, process: process === 0 ? 1 : 0, wait: true },
    { do: "release" },
  ]);

/** A timeline is lost while it is built, and begun again by another process before the first has finished. */
const buildDuringBuild: fc.Arbitrary<Step[]> = fc
  .record({ user, other: followee, process })
  .map(({ user, other, process }) => [
    { do: "follow", user, other },
    { do: "settle" },
    { do: "lose", user },
    { do: "hold", method: "work listByAuthors" },
    { do: "read", user, process, wait: true },
    { do: "post", user: other },
    { do: "deliver", nth: 0, process: process === 0 ? 1 : 0, wait: true },
    { do: "lose", user },
    { do: "hold", method: "work listByAuthors" },
    { do: "read", user, process: process === 0 ? 1 : 0, wait: true },
    { do: "release" },
    { do: "release" },
  ]);

/** An author's posts are pushed no longer since a process asked last who is a celebrity. */
const riseBetweenReads: fc.Arbitrary<Step[]> = fc
  .record({ author: followee, user, process, ms: tickMs })
  .map(({ author, user, process, ms }) => [
    { do: "scatter", user: author },
    { do: "settle" },
    { do: "read", user, process, wait: true },
    { do: "gather", user: author },
    { do: "settle" },
    { do: "tick", ms },
    { do: "post", user: author },
    { do: "settle" },
    { do: "read", user, process, wait: true },
  ]);

/** A fan-out that is broken off between two followers, and goes on elsewhere when something else has happened. */
const brokenFanOut: fc.Arbitrary<Step[]> = fc
  .record({
    author: followee,
    followers: fc.tuple(user, user),
    process,
    after,
    meanwhile: fc.array(step, { maxLength: 4, size: "max" }),
  })
  .map(({ author, followers: [one, two], process, after, meanwhile }) => [
    { do: "follow", user: one, other: author },
    { do: "follow", user: two, other: author },
    { do: "settle" },
    { do: "read", user: one, process, wait: true },
    { do: "read", user: two, process, wait: true },
    { do: "post", user: author },
    { do: "fail", method: "work streamFollowers", after },
    { do: "deliver", nth: 0, process, wait: true },
    ...meanwhile,
  ]);

/** Timelines that are there from the beginning live by pushes and backfills alone. */
const opening: fc.Arbitrary<Step[]> = fc
  .record({ gathered: fc.subarray([...userIds]), readers: fc.subarray([...userIds]) })
  .map(({ gathered, readers }) => [
    ...gathered.map((user) => ({ do: "gather" as const, user })),
    { do: "settle" },
    ...readers.map((user) => ({ do: "read" as const, user, process: 0 as const, wait: true })),
  ]);

const scenes: fc.Arbitrary<Step[]> = fc
  .array(
    fc.oneof(
      { weight: 8, arbitrary: step.map((one) => [one]) },
      { weight: 2, arbitrary: stall },
      { weight: 1, arbitrary: stalledBuild },
      { weight: 1, arbitrary: stalledLookup },
      { weight: 1, arbitrary: unfollowDuringBuild },
      { weight: 1, arbitrary: followDuringUnfollow },
      { weight: 1, arbitrary: buildDuringBuild },
      { weight: 1, arbitrary: riseBetweenReads },
      { weight: 1, arbitrary: brokenFanOut },
    ),
    {
      minLength: 1,
      maxLength: 30,
      size: "max",
    },
  )
  .map((several) => several.flat());

/** An opening and 1 to 30 scenes, of which some have many steps. */
export const history: fc.Arbitrary<Step[]> = fc.tuple(opening, scenes).map((parts) => parts.flat());

/** Events, by their number in the log, that come once more when all is quiet. */
export const replays: fc.Arbitrary<number[]> = fc.array(nth, { maxLength: 6, size: "max" });
