import fc from "fast-check";

/** Those who are there from the beginning. */
export const userIds = [1n, 2n, 3n, 4n] as const;
/** Those who may register later. */
export const newcomerIds = [5n, 6n] as const;

/** A service that answers some reads from a replica. */
export type Service = "post" | "follow";

/**
 * One thing that happens. `nth` chooses among what there is at that moment, `process` is one of two. With `tokens` it is
 * the device with which the user wrote before, which has their consistency tokens; another one has none.
 */
export type Step =
  | { do: "post" | "reserve"; user: bigint }
  | { do: "publish" | "edit" | "delete" | "evict"; nth: number }
  | { do: "follow" | "unfollow"; user: bigint; other: bigint }
  /** All follow a user; all but one end it. */
  | { do: "gather" | "scatter"; user: bigint }
  | { do: "register" | "erase" }
  | { do: "tick"; ms: number }
  /** A replica is held up; it makes some of the writes that it lacks, or all. */
  | { do: "lag"; service: Service }
  | { do: "catchUp"; service: Service; nth: number }
  | { do: "leave" | "lose"; user: bigint }
  /** Reads on in a feed, from its top when nobody is in the middle of it. */
  | { do: "scroll"; user: bigint; process: 0 | 1; pageSize: number; tokens: boolean; wait: boolean }
  /** The process dies, with all that it was doing, and another is started in its place. */
  | { do: "crash"; process: 0 | 1 }
  | { do: "deliver" | "redeliver"; nth: number; process: 0 | 1; wait: boolean }
  | { do: "read"; user: bigint; process: 0 | 1; tokens: boolean; wait: boolean }
  | { do: "hold"; method: string }
  /** The answer is lost that comes after so many others. */
  | { do: "fail"; method: string; after: number }
  | { do: "release" | "flush" | "settle" };

export const user = fc.oneof(
  { weight: 9, arbitrary: fc.constantFrom(...userIds) },
  { weight: 1, arbitrary: fc.constantFrom(...newcomerIds) },
);
/** One of them is followed more than others, and so turns celebrity and back. */
export const followee = fc.oneof(
  { weight: 2, arbitrary: fc.constant(userIds[0]) },
  { weight: 3, arbitrary: user },
);
export const nth = fc.nat({ max: 1_000 });
export const process = fc.constantFrom(0 as const, 1 as const);
const wait = fc.boolean();
export const tickMs = fc.constantFrom(700, 1_500, 4_500);
/** After which replicas may be asked for what there was before. */
const longTickMs = 70_000;
const tokens = fc.boolean();
export const service = fc.constantFrom("post" as const, "follow" as const);
export const pageSize = fc.integer({ min: 1, max: 4 });
export const scroll = fc.record({
  do: fc.constant("scroll" as const),
  user,
  process,
  pageSize,
  tokens,
  wait,
});
export const read = fc.record({ do: fc.constant("read" as const), user, process, tokens, wait });
/** Of work in the background, and of pages. */
export const method = fc.constantFrom(
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

export const after = fc.nat({ max: 3 });

export const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 45, arbitrary: fc.record({ do: fc.constant("post" as const), user: followee }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant("reserve" as const), user }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant("publish" as const), nth }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant("edit" as const), nth }) },
  { weight: 8, arbitrary: fc.record({ do: fc.constant("delete" as const), nth }) },
  { weight: 20, arbitrary: fc.record({ do: fc.constant("follow" as const), user, other: followee }) },
  { weight: 12, arbitrary: fc.record({ do: fc.constant("unfollow" as const), user, other: followee }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant("gather" as const), user: followee }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant("scatter" as const), user: followee }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("leave" as const), user }) },
  { weight: 40, arbitrary: fc.record({ do: fc.constant("deliver" as const), nth, process, wait }) },
  { weight: 8, arbitrary: fc.record({ do: fc.constant("redeliver" as const), nth, process, wait }) },
  { weight: 12, arbitrary: fc.record({ do: fc.constant("settle" as const) }) },
  { weight: 30, arbitrary: read },
  { weight: 30, arbitrary: scroll },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("register" as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("erase" as const) }) },
  { weight: 12, arbitrary: fc.record({ do: fc.constant("tick" as const), ms: tickMs }) },
  { weight: 2, arbitrary: fc.constant({ do: "tick" as const, ms: longTickMs }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constant("lag" as const), service }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constant("catchUp" as const), service, nth }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("crash" as const), process }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant("release" as const) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("fail" as const), method, after }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("flush" as const) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant("evict" as const), nth }) },
);
