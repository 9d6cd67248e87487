import type { CallOptions } from "@chirrup/grpc";
import type { Logger } from "@chirrup/platform";
import type { FollowClient } from "../clients/follow.ts";
import type { PostClient } from "../clients/post.ts";
import { type Entry, mergeSlices, type Slice } from "../domain/slice.ts";
import type { AuthorOutboxes } from "../store/author-outbox.ts";
import type { Timelines } from "../store/timeline.ts";
import type { Rebuilds } from "./rebuild.ts";

export interface SkeletonContext {
  readonly homes: Timelines;
  readonly outboxes: AuthorOutboxes;
  readonly posts: PostClient;
  readonly follows: FollowClient;
  readonly rebuilds: Rebuilds;
  /** How many pages one read of the post service fetches. */
  readonly chunkPages: number;
}

export interface SkeletonRequest {
  readonly readerId: bigint;
  /** Only posts below this id; `newest` for all. */
  readonly before: bigint;
  /** How many entries come at once. */
  readonly batchSize: number;
  readonly log: Logger;
  /** For each onward call, with what is left of the deadline. */
  onward(): CallOptions;
}

/** Reads on below an id. Undefined, or a floor that is not below the id: this source has no more to say. */
type Source = (before: bigint) => Promise<Slice | undefined>;

/** The most that the post service gives at once. */
const maxRows = 1_000;

/**
 * Which posts a feed has, newest first, in batches of `batchSize` (the last may be shorter): from the
 * timelines as far down as their floors reach, and from the post service below. May hold too much, never
 * too little: `hydrate` and `filterItems` come after it.
 */
export async function* skeleton(context: SkeletonContext, request: SkeletonRequest): AsyncGenerator<Entry[]> {
  let pending: Entry[] = [];
  for await (const { entries } of slices(context, request)) {
    pending.push(...entries);
    while (pending.length >= request.batchSize) {
      yield pending.slice(0, request.batchSize);
      pending = pending.slice(request.batchSize);
    }
  }
  if (pending.length > 0) yield pending;
}

async function* slices(context: SkeletonContext, request: SkeletonRequest): AsyncGenerator<Slice> {
  let before = request.before;
  for (const read of [timelineSource(context, request), postServiceSource(context, request)]) {
    // Ids begin at 1: below that there is nothing to ask for.
    while (before > 1n) {
      const slice = await read(before);
      if (slice === undefined || slice.floor + 1n >= before) break;
      yield slice;
      before = slice.floor + 1n;
    }
  }
}

function timelineSource(context: SkeletonContext, request: SkeletonRequest): Source {
  const { posts, follows, rebuilds } = context;
  const { readerId, batchSize: limit, onward } = request;
  let mergedIds: readonly bigint[] | undefined;
  return async (before) => {
    // Whose outboxes are merged is asked before the home timeline is read. An author turns normal only when
    // all home timelines have what was not pushed, so a home read after "normal" has it; the other way
    // round it could be read before the backfill and the state after it. An author who turns celebrity
    // meanwhile costs this page the posts of its own duration at most, like a push under way.
    mergedIds ??= await follows.listMergedAuthors(readerId, onward());
    const timelines = await readTimelines(context, request, mergedIds, before);
    if (timelines === undefined) return undefined;
    const { home, outboxes } = timelines;
    const missingIds = mergedIds.filter((_, index) => outboxes[index] === undefined);
    for (const authorId of missingIds) rebuilds.outbox(authorId);
    if (home === undefined) {
      rebuilds.home(readerId);
      return undefined;
    }
    const sources = [home, ...outboxes.filter((outbox) => outbox !== undefined)];
    if (missingIds.length > 0) {
      sources.push(await posts.listByAuthors(missingIds, { before, limit }, onward()));
    }
    return mergeSlices(sources);
  };
}

/** Undefined when Redis does not answer: the feed is slower without it, not wrong. */
async function readTimelines(
  { homes, outboxes }: SkeletonContext,
  { readerId, batchSize, log }: SkeletonRequest,
  mergedIds: readonly bigint[],
  before: bigint,
): Promise<{ home: Slice | undefined; outboxes: readonly (Slice | undefined)[] } | undefined> {
  try {
    const [[home], merged] = await Promise.all([
      homes.read([readerId], before, batchSize),
      outboxes.read(mergedIds, before, batchSize),
    ]);
    return { home, outboxes: merged };
  } catch (error) {
    log.warn({ err: error }, "timelines cannot be read");
    return undefined;
  }
}

function postServiceSource(
  { posts, follows, chunkPages }: SkeletonContext,
  request: SkeletonRequest,
): Source {
  const { readerId, batchSize, onward } = request;
  const limit = Math.min(batchSize * chunkPages, maxRows);
  let authorIds: readonly bigint[] | undefined;
  return async (before) => {
    authorIds ??= [...(await follows.listFollowees(readerId, onward())), readerId];
    return posts.listByAuthors(authorIds, { before, limit }, onward());
  };
}
