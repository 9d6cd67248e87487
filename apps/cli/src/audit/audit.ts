import { createClient } from "@chirrup/grpc";
import { metadataKeys, openPeer } from "@chirrup/platform";
import { FeedService } from "@chirrup/proto/chirrup/feed/v1/feed_service";
import { Metadata } from "@chirrup/grpc";
import { createProgressBar } from "../terminal/progress-bar.ts";
import { runInOrder } from "../seed/in-order.ts";
import { type Difference, firstDifference } from "./compare.ts";
import { readOracle, type TruePost } from "./oracle.ts";

export interface AuditOptions {
  readonly databases: Readonly<Record<"user" | "follow" | "post", string>>;
  readonly feedAddress: string;
  readonly peerSecret: string;
  readonly sample: number | undefined;
  readonly pageSize: number;
  readonly concurrency: number;
  readonly settleMs: number;
}

export interface AuditResult {
  readonly readers: number;
  readonly pages: number;
  readonly differences: number;
  readonly first: Difference | null;
}

function chooseReaders(readers: readonly bigint[], sample: number | undefined): readonly bigint[] {
  if (sample === undefined || sample >= readers.length) return readers;
  const left = [...readers];
  return Array.from({ length: sample }, () => left.splice(Math.floor(Math.random() * left.length), 1)).flat();
}

/**
 * Reads every page of the readers' home feeds from the feed service and compares them with the truth. A
 * feed that differs is read again until `settleMs` have passed, as events may still be on their way; the
 * truth is read once, so nobody may write meanwhile.
 */
export async function audit(options: AuditOptions): Promise<AuditResult> {
  const oracle = await readOracle(options.databases);
  const readers = chooseReaders(oracle.readers, options.sample);
  const channel = openPeer(options.feedAddress, options.peerSecret);
  const feed = createClient(FeedService, channel);
  const bar = createProgressBar("audit", readers.length);
  const settledBy = performance.now() + options.settleMs;
  let pages = 0;
  const differences: Difference[] = [];

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

  async function auditReader(reader: bigint): Promise<void> {
    const expected = oracle.homeFeed(reader);
    for (;;) {
      const difference = firstDifference(reader, expected, await readFeed(reader));
      if (difference === undefined) return;
      if (performance.now() > settledBy) {
        differences.push(difference);
        return;
      }
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }

  try {
    await runInOrder(
      { from: 0, total: readers.length, concurrency: options.concurrency },
      (index) => auditReader(readers[index] ?? 0n),
      bar.update,
    );
    bar.finish();
  } finally {
    channel.close();
  }
  return {
    readers: readers.length,
    pages,
    differences: differences.length,
    first: differences[0] ?? null,
  };
}
