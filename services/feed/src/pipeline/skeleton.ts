import { idTimeMs } from "@chirrup/platform";
import type { PostClient } from "../clients/post.ts";
import type { Clock } from "../domain/clock.ts";
import type { Followees } from "../domain/followees.ts";
import { newestOfOutboxes } from "../domain/outbox.ts";
import { below, type Entry, mergeSlices, type Slice } from "../domain/slice.ts";
import type { Rebuilds } from "./rebuild.ts";
import { openView, type ReaderTimelines, type ViewContext, type ViewRequest } from "./view.ts";

export interface SkeletonContext extends ViewContext {
  readonly posts: PostClient;
  readonly rebuilds: Rebuilds;
  /** How many pages one read of the post service fetches. */
  readonly chunkPages: number;
  readonly clock: Clock;
  /** How old a post is at least that every replica has which gets reads. */
  readonly replicatedAfterMs: number;
}

/** Entries of a feed, newest first, and whom its reader follows: what is kept may say otherwise. */
export interface Batch {
  readonly entries: readonly Entry[];
  readonly followees: Followees;
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
export async function* skeleton(context: SkeletonContext, request: ViewRequest): AsyncGenerator<Batch> {
  const { followees, timelines } = await openView(context, request);
  const sources = [
    ...(timelines === undefined ? [] : [timelineSource(context, request, timelines)]),
    postServiceSource(context, request, followees),
  ];
  let { before } = request;
  let pending: readonly Entry[] = [];
  for (const read of sources) {
    // Ids begin at 1: below that there is nothing to ask for.
    while (before > 1n) {
      const slice = await read(before);
      if (slice === undefined || slice.floor + 1n >= before) break;
      before = slice.floor + 1n;
      pending = pending.length === 0 ? slice.entries : [...pending, ...slice.entries];
      while (pending.length >= request.batchSize) {
        yield { entries: pending.slice(0, request.batchSize), followees };
        pending = pending.slice(request.batchSize);
      }
    }
  }
  if (pending.length > 0) yield { entries: pending, followees };
}

/**
 * Merges the home timeline with the outboxes. What one source had beyond the floor of another is kept for the next
 * read, so only the sources that set the floor are read again.
 */
function timelineSource(
  context: SkeletonContext,
  request: ViewRequest,
  { home, mergedIds, outboxes }: ReaderTimelines,
): Source {
  const { posts, rebuilds } = context;
  const { readerId, batchSize: limit, call } = request;
  const missingIds = mergedIds.filter((_, index) => outboxes[index] === undefined);
  for (const authorId of missingIds) rebuilds.outbox(authorId);
  if (home === undefined) rebuilds.home(readerId);

  const parts: { held: Slice | undefined; readonly read: Source }[] = [
    { held: home, read: async (before) => (await context.homes.read([readerId], before, limit))[0] },
  ];
  const had = outboxes.filter((outbox) => outbox !== undefined);
  if (had.length > 0) {
    const read: Source = (before) => Promise.resolve(newestOfOutboxes(had, before, limit));
    parts.push({ held: undefined, read });
  }
  if (missingIds.length > 0) {
    parts.push({
      held: undefined,
      read: (before) =>
        posts.listByAuthors(missingIds, { before, limit }, call.onward({ readsPrimary: true })),
    });
  }

  return async (before) => {
    if (home === undefined) return undefined;
    const read = await Promise.all(
      parts.map((part) => {
        const held = part.held && below(part.held, before);
        return held === undefined ? part.read(before).catch(giveUp(request)) : Promise.resolve(held);
      }),
    );
    for (const [index, part] of parts.entries()) part.held = read[index];
    return read.every((slice) => slice !== undefined) ? mergeSlices(read) : undefined;
  };
}

/** Redis does not answer any more: the page goes on without it. */
function giveUp({ call }: ViewRequest): (error: unknown) => undefined {
  return (error) => {
    call.log.warn({ err: error }, "timelines cannot be read on");
    return undefined;
  };
}

/**
 * What is young is read on the primary: a replica may lack what timelines or the page before had, and its posts would be
 * skipped. Below that any server will do.
 */
function postServiceSource(
  { posts, chunkPages, clock, replicatedAfterMs }: SkeletonContext,
  { readerId, batchSize, call }: ViewRequest,
  followees: Followees,
): Source {
  const limit = Math.min(batchSize * chunkPages, maxRows);
  let authorIds: readonly bigint[] | undefined;
  return (before) => {
    authorIds ??= [...followees.ids(), readerId];
    const readsPrimary = idTimeMs(before) > clock.unixMs() - replicatedAfterMs;
    return posts.listByAuthors(authorIds, { before, limit }, call.onward({ readsPrimary }));
  };
}
