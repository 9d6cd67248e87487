import { createClient, Metadata } from "@chirrup/grpc";
import { metadataKeys, openPeer, peerCallOptions } from "@chirrup/platform";
import { FeedService } from "@chirrup/proto/chirrup/feed/v1/feed_service";
import { runInOrder } from "../seed/in-order.ts";
import { createProgressBar } from "../terminal/progress-bar.ts";
import { type Difference, firstDifference } from "./compare.ts";
import { openOracle, type TruePost } from "./oracle.ts";
import { drawSample, openAuditProgress } from "./sample.ts";

export interface AuditOptions {
  readonly databases: Readonly<Record<"user" | "follow" | "post", string>>;
  readonly feedAddress: string;
  readonly peerSecret: string;
  readonly sample: number | undefined;
  /** Where it keeps how far it has come; nowhere when undefined. */
  readonly progressFile?: string;
  /** Goes on with the audit that was interrupted: its sample, not `sample`. Default: false. */
  readonly resume?: boolean;
  /** Builds the timelines of feeds that differ anew, and compares them again. Default: false. */
  readonly repair?: boolean;
  readonly pageSize: number;
  readonly concurrency: number;
  readonly settleMs: number;
}

export interface AuditResult {
  readonly readers: number;
  readonly pages: number;
  /** Feeds that were wrong, also those that were repaired. */
  readonly differences: number;
  readonly repaired: number;
  readonly first: Difference | null;
}

/** Readers of whom the truth is read at once: it need not fit into memory whole. */
const readersAtOnce = 200;

/**
 * Reads every page of the readers' home feeds from the feed service and compares them with the truth. A
 * feed that differs is read again until `settleMs` have passed since its truth was read, as events may still be on
 * their way; nobody may write meanwhile.
 */
export async function audit(options: AuditOptions): Promise<AuditResult> {
  await using oracle = await openOracle(options.databases);
  const progress = openAuditProgress(options.progressFile, {
    resume: options.resume === true,
    sample: options.sample ?? null,
  });
  const readers = drawSample(await oracle.readers(), progress.value.seed, progress.value.sample);
  const channel = openPeer(options.feedAddress, options.peerSecret);
  const feed = createClient(FeedService, channel);
  const bar = createProgressBar("audit", readers.length);
  let { pages, differences, repaired } = progress.value;
  let first: Difference | null = null;

  async function readFeed(reader: bigint): Promise<TruePost[]> {
    const metadata = Metadata.from({ [metadataKeys.userId]: String(reader), [metadataKeys.sessionId]: "1" });
    const posts: TruePost[] = [];
    let cursor = "";
    do {
      const page = await feed.getHomeFeed(
        { cursor, pageSize: options.pageSize },
        { metadata, timeoutMs: 30_000, waitForReady: true },
      );
      pages += 1;
      for (const { post } of page.items) posts.push({ id: post?.id ?? 0n, authorId: post?.authorId ?? 0n });
      // Every page but the last is full: a short one would make a reader think that it is the end.
      if (page.nextCursor !== "" && page.items.length !== options.pageSize) {
        posts.push({ id: -1n, authorId: 0n });
      }
      cursor = page.nextCursor;
    } while (cursor !== "");
    return posts;
  }

  async function settledDifference(
    reader: bigint,
    expected: readonly TruePost[],
    untilMs: number,
  ): Promise<Difference | undefined> {
    for (;;) {
      const difference = firstDifference(reader, expected, await readFeed(reader));
      if (difference === undefined || performance.now() > untilMs) return difference;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }

  async function auditReader(reader: bigint, expected: readonly TruePost[], untilMs: number): Promise<void> {
    const difference = await settledDifference(reader, expected, untilMs);
    if (difference === undefined) return;
    differences += 1;
    first ??= difference;
    if (options.repair !== true) return;
    const call = { ...peerCallOptions({ timeoutMs: 30_000 }), waitForReady: true };
    await feed.buildHomeTimelines({ readerIds: [reader], anew: true }, call);
    if (firstDifference(reader, expected, await readFeed(reader)) === undefined) repaired += 1;
  }

  try {
    for (let from = progress.value.done; from < readers.length; from += readersAtOnce) {
      const batch = readers.slice(from, from + readersAtOnce);
      const feeds = await oracle.homeFeeds(batch);
      const untilMs = performance.now() + options.settleMs;
      await runInOrder(
        { from: 0, total: batch.length, concurrency: options.concurrency },
        (index) => auditReader(batch[index] ?? 0n, feeds.get(batch[index] ?? 0n) ?? [], untilMs),
        (done) => bar.update(from + done),
      );
      progress.set({ done: from + batch.length, pages, differences, repaired });
    }
    bar.finish();
    progress.remove();
  } finally {
    channel.close();
  }
  return { readers: readers.length, pages, differences, repaired, first };
}
