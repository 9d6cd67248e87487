import fc from "fast-check";
import {
  after,
  followee,
  method,
  nth,
  pageSize,
  process,
  read,
  scroll,
  service,
  step,
  type Step,
  tickMs,
  user,
  userIds,
} from "./step.ts";

/** Work that stands still in the middle, with an answer read and not yet used, while other things happen. */
const stall: fc.Arbitrary<Step[]> = fc
  .record({
    method,
    work: fc.oneof(
      read.map((one) => ({ ...one, wait: true })),
      scroll.map((one) => ({ ...one, wait: true })),
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
    { do: "read", user, process, tokens: false, wait: true },
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
    { do: "read", user, process, tokens: false, wait: true },
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
    { do: "read", user, process, tokens: false, wait: true },
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
    { do: "read", user, process, tokens: false, wait: true },
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
    { do: "read", user, process, tokens: false, wait: true },
    { do: "post", user: other },
    { do: "deliver", nth: 0, process: process === 0 ? 1 : 0, wait: true },
    { do: "lose", user },
    { do: "hold", method: "work listByAuthors" },
    { do: "read", user, process: process === 0 ? 1 : 0, tokens: false, wait: true },
    { do: "release" },
    { do: "release" },
  ]);

/** An author's posts are pushed no longer since a process asked last who is a celebrity. */
const riseBetweenReads: fc.Arbitrary<Step[]> = fc
  .record({ author: followee, user, process, ms: tickMs })
  .map(({ author, user, process, ms }) => [
    { do: "scatter", user: author },
    { do: "settle" },
    { do: "read", user, process, tokens: false, wait: true },
    { do: "gather", user: author },
    { do: "settle" },
    { do: "tick", ms },
    { do: "post", user: author },
    { do: "settle" },
    { do: "read", user, process, tokens: false, wait: true },
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
    { do: "read", user: one, process, tokens: false, wait: true },
    { do: "read", user: two, process, tokens: false, wait: true },
    { do: "post", user: author },
    { do: "fail", method: "work streamFollowers", after },
    { do: "deliver", nth: 0, process, wait: true },
    ...meanwhile,
  ]);

/** What a replica has not come to yet is asked for: by a build, and by the pages while there is no timeline. */
const behindAReplica: fc.Arbitrary<Step[]> = fc
  .record({
    service,
    user,
    other: followee,
    process,
    pageSize,
    posts: fc.integer({ min: 1, max: 8 }),
    meanwhile: fc.array(step, { maxLength: 3, size: "max" }),
  })
  .map(({ service, user, other, process, pageSize, posts, meanwhile }) => {
    const onward: Step = { do: "scroll", user, process, pageSize, tokens: false, wait: true };
    return [
      { do: "lag", service },
      { do: "follow", user, other },
      ...Array.from({ length: posts }, () => ({ do: "post" as const, user: other })),
      { do: "settle" },
      { do: "lose", user },
      { do: "hold", method: "work listByAuthors" },
      onward,
      ...meanwhile,
      onward,
      { do: "release" },
    ];
  });

/** What a user has just done shows at once on the device with which it was done. */
const readOwnWrite: fc.Arbitrary<Step[]> = fc
  .record({ service, user, other: followee, process, nth, edits: fc.boolean() })
  .map(({ service, user, other, process, nth, edits }) => [
    { do: "follow", user, other },
    { do: "post", user: service === "post" ? user : other },
    { do: "settle" },
    { do: "read", user, process, tokens: false, wait: true },
    { do: "lag", service },
    service === "follow" ? { do: "unfollow", user, other } : { do: edits ? "edit" : "delete", nth },
    { do: "read", user, process, tokens: true, wait: true },
  ]);

/** Timelines that are there from the beginning live by pushes and backfills alone. */
const opening: fc.Arbitrary<Step[]> = fc
  .record({ gathered: fc.subarray([...userIds]), readers: fc.subarray([...userIds]) })
  .map(({ gathered, readers }) => [
    ...gathered.map((user) => ({ do: "gather" as const, user })),
    { do: "settle" },
    ...readers.map((user) => ({ do: "read" as const, user, process: 0 as const, tokens: false, wait: true })),
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
      { weight: 1, arbitrary: behindAReplica },
      { weight: 1, arbitrary: readOwnWrite },
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
