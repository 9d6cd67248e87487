import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { createClient } from "@chirrup/grpc";
import { openPeer, peerCallOptions } from "@chirrup/platform";
import { FeedService } from "@chirrup/proto/chirrup/feed/v1/feed_service";
import pg from "pg";
import type { Home } from "../launcher/paths.ts";
import { runInOrder } from "../seed/in-order.ts";
import { createProgressBar } from "../terminal/progress-bar.ts";

export interface RebuildOptions {
  readonly userDatabase: string;
  readonly feedAddress: string;
  readonly peerSecret: string;
  /** Those that are kept, too. */
  readonly anew: boolean;
  /** Batches at once. */
  readonly concurrency: number;
}

export interface RebuildResult {
  /** Accounts that there are. */
  readonly readers: number;
  /** Timelines that were built, by this run and the one that it goes on with. */
  readonly built: number;
  readonly seconds: number;
}

/** How far a run came: all readers up to an id. */
interface Progress {
  readonly anew: boolean;
  readonly throughId: string;
  readonly built: number;
}

const readersAtOnce = 50;
const batchTimeoutMs = 120_000;

/**
 * Asks the feed service for every reader's home timeline, in the order of their ids. A run that was interrupted is
 * finished by the same command: what it has done is in the home's folder until it has ended.
 */
export async function rebuildFeeds(home: Home, options: RebuildOptions): Promise<RebuildResult> {
  const { userDatabase, feedAddress, peerSecret, anew, concurrency } = options;
  const startedAt = performance.now();
  const file = join(home.dir, "feeds", "rebuild.json");
  const before = readProgress(file, anew);
  const readers = await readReaders(userDatabase);
  const left = readers.filter((id) => id > BigInt(before.throughId));
  const batches = Array.from({ length: Math.ceil(left.length / readersAtOnce) }, (_, index) =>
    left.slice(index * readersAtOnce, (index + 1) * readersAtOnce),
  );
  const bar = createProgressBar("timelines", readers.length);
  const channel = openPeer(feedAddress, peerSecret);
  const feed = createClient(FeedService, channel);
  let built = before.built;
  try {
    await runInOrder(
      { from: 0, total: batches.length, concurrency },
      async (index) => {
        const call = { ...peerCallOptions({ timeoutMs: batchTimeoutMs }), waitForReady: true };
        const answer = await feed.buildHomeTimelines({ readerIds: batches[index] ?? [], anew }, call);
        built += answer.built;
      },
      (done) => {
        const last = batches[done - 1]?.at(-1);
        if (last === undefined) return;
        writeProgress(file, { anew, throughId: String(last), built });
        bar.update(readers.length - left.length + Math.min(left.length, done * readersAtOnce));
      },
    );
  } finally {
    channel.close();
  }
  bar.finish();
  rmSync(file, { force: true });
  return { readers: readers.length, built, seconds: Math.round((performance.now() - startedAt) / 100) / 10 };
}

async function readReaders(url: string): Promise<bigint[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const { rows } = await client.query<{ ids: string | null }>(
      "SELECT string_agg(id::text, ',' ORDER BY id) AS ids FROM accounts WHERE deleted_at IS NULL",
    );
    return rows[0]?.ids?.split(",").map(BigInt) ?? [];
  } finally {
    await client.end();
  }
}

function readProgress(file: string, anew: boolean): Progress {
  const none = { anew, throughId: "0", built: 0 };
  try {
    const progress = JSON.parse(readFileSync(file, "utf8")) as Progress;
    return progress.anew === anew ? progress : none;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT" || error instanceof SyntaxError) return none;
    throw error;
  }
}

function writeProgress(file: string, progress: Progress): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(`${file}.next`, JSON.stringify(progress));
  renameSync(`${file}.next`, file);
}
