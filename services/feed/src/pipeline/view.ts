import { type Followees, mergedAuthors } from "../domain/followees.ts";
import type { Outbox } from "../domain/outbox.ts";
import type { PageCall } from "../domain/page-call.ts";
import type { Slice } from "../domain/slice.ts";
import { wroteTo } from "../domain/wrote-to.ts";
import type { FollowVersion, FollowVersions } from "../store/follow-versions.ts";
import type { Timelines } from "../store/timeline.ts";
import type { Celebrities } from "./celebrities.ts";
import type { CelebrityPosts } from "./celebrity-posts.ts";
import type { Followed } from "./followed.ts";

export interface ViewContext {
  readonly homes: Timelines;
  readonly celebrityPosts: CelebrityPosts;
  readonly versions: FollowVersions;
  readonly followed: Followed;
  readonly celebrities: Celebrities;
}

export interface ViewRequest {
  readonly readerId: bigint;
  /** Only posts below this id; `newest` for all. */
  readonly before: bigint;
  /** How many entries are wanted. */
  readonly batchSize: number;
  readonly call: PageCall;
}

/** What a page is made from. */
export interface View {
  readonly followees: Followees;
  /** Undefined when they cannot be had or trusted: the page comes from the post service. */
  readonly timelines: ReaderTimelines | undefined;
}

/** What timelines say below an id. */
export interface ReaderTimelines {
  /** Undefined when it is not kept. */
  readonly home: Slice | undefined;
  /** Those whose outboxes are merged with it. */
  readonly mergedIds: readonly bigint[];
  /** In the order of `mergedIds`; undefined where none is kept. */
  readonly outboxes: readonly (Outbox | undefined)[];
}

/**
 * Reads whom a reader follows and what timelines say: one round trip to Redis when this process knows the
 * followees and their outboxes, and the version that is read beside the timeline is the one that they are known under.
 *
 * Why the celebrities come before the home timeline: an author turns normal only when all home timelines have
 * what was not pushed, so a home that is read after "normal" has it. Read before, it could miss both the backfill
 * and the merge. An author who turns celebrity during a page costs it the posts of its own duration at most, like
 * a push under way. The outboxes may be read at any time after: they only ever gain what is above their floor.
 */
export async function openView(context: ViewContext, request: ViewRequest): Promise<View> {
  const { followed, celebrities, celebrityPosts } = context;
  const { readerId, call } = request;
  const authors = await celebrities.current().catch((error: unknown) => {
    call.log.warn({ err: error }, "celebrities are not known");
    return undefined;
  });
  const guess = followed.peek(readerId);
  const guessedIds = guess === undefined || !authors ? [] : mergedAuthors(readerId, guess.followees, authors);
  const found = await readOnce(context, request, guessedIds);

  // Without a home timeline the version is made anew too: whatever took the one may have brought back the other.
  const isRight = guess !== undefined && found?.version === guess.version && found.home !== undefined;
  // Who has followed or unfollowed a moment ago is looked up: what is kept may not have it yet.
  const isKnown = isRight && !wroteTo(call, "follow");
  const followees = isKnown
    ? guess.followees
    : await followed.load(readerId, found?.home === undefined, call.onward({ readsPrimary: true }));
  if (found === undefined || authors === undefined) return { followees, timelines: undefined };
  if (isKnown) return { followees, timelines: { ...found, mergedIds: guessedIds } };

  const mergedIds = mergedAuthors(readerId, followees, authors);
  const merged = await celebrityPosts.read(mergedIds).catch((error: unknown) => {
    call.log.warn({ err: error }, "outboxes cannot be read");
    return undefined;
  });
  const timelines = merged && { home: found.home, mergedIds, outboxes: merged };
  return { followees, timelines };
}

interface Found {
  readonly version: FollowVersion | undefined;
  readonly home: Slice | undefined;
  readonly outboxes: readonly (Outbox | undefined)[];
}

/** Undefined when Redis does not answer: the feed is slower without it, not wrong. */
async function readOnce(
  { homes, celebrityPosts, versions }: ViewContext,
  { readerId, before, batchSize, call }: ViewRequest,
  mergedIds: readonly bigint[],
): Promise<Found | undefined> {
  try {
    const [{ slice: home, beside }, merged] = await Promise.all([
      homes.readBeside(readerId, versions.keyOf(readerId), before, batchSize),
      celebrityPosts.read(mergedIds),
    ]);
    return { version: versions.readIn(beside), home, outboxes: merged };
  } catch (error) {
    call.log.warn({ err: error }, "timelines cannot be read");
    return undefined;
  }
}
