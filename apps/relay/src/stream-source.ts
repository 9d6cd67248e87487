import { setTimeout as pause } from "node:timers/promises";
import type { ReplicationConnection } from "./replication/connection.ts";
import { createBatcher } from "./replication/batcher.ts";
import type { Lsn } from "./replication/lsn.ts";
import { createPgoutputDecoder } from "./replication/pgoutput.ts";
import type { Position } from "./replication/position.ts";
import { publication, slotName } from "./slot.ts";
import type { SourceStore } from "./store/source-store.ts";

/** Rows appended by one script: Redis serves nobody else meanwhile. */
const maxRows = 500;
/** Received and not appended: above the first the server is held back, below the second it goes on. */
const pauseBytes = 4 * 1024 * 1024;
const resumeBytes = pauseBytes / 2;
/** How often an idle source's position is moved; until then the server keeps what others have written. */
const idleAdvanceMs = 10_000;
/** How long what comes next is left to gather, for each row that was appended, and at most. */
const gatherMsEach = 8;
const gatherMs = 24;
/** More than so many rows share enough; waiting would only hold up a long transaction or a backlog. */
const gatherRows = 100;

export interface StreamSourceOptions {
  readonly connection: ReplicationConnection;
  readonly source: string;
  readonly store: SourceStore;
  readonly start: Position;
  /** The server streams. */
  readonly onStreaming: () => void;
  readonly onAppended: (rows: number) => void;
  readonly signal: AbortSignal;
}

/**
 * Appends what a slot streams until something fails or the signal aborts.
 *
 * One batch is on its way at a time, and the next one grows meanwhile: the busier the source, the more rows
 * share a round trip and an fsync, here and with each consumer, who is woken once for all of them. So that it
 * grows, the source is not looked at for a moment after a batch; rows that come seldom find that moment over
 * and are appended at once. Nothing is repeated here: after any failure of Redis or Postgres the
 * session ends, and the next one asks Redis how far the source is.
 */
export async function streamSource(options: StreamSourceOptions): Promise<void> {
  const { connection, source, store, signal } = options;
  const decoder = createPgoutputDecoder();
  const batcher = createBatcher(options.start);
  const failed = Promise.withResolvers<never>();
  failed.promise.catch(() => undefined);
  let position = options.start;
  /** Furthest LSN behind which nothing concerns this source, while it is idle. */
  let idleLsn: Lsn = 0n;
  let movedAtMs = performance.now();
  let appending: Promise<void> | undefined;

  const stream = connection.stream({
    slot: slotName(source),
    publication,
    from: options.start.lsn,
    onMessage(message) {
      if (message.kind === "data") {
        const decoded = decoder.decode(message.body);
        if (decoded === undefined) return;
        batcher.add(decoded);
        if (batcher.bytes > pauseBytes) stream.pause();
        if (decoded.kind !== "begin") work();
      } else if (batcher.idle && appending === undefined) {
        idleLsn = message.end;
        // A server that stops asks, and waits until its slots are confirmed.
        if (message.replyWanted) advance();
      }
    },
  });

  async function move(rows: Parameters<SourceStore["append"]>[0], to: Position): Promise<void> {
    await store.append(rows, position, to);
    position = to;
    movedAtMs = performance.now();
  }

  async function appendAll(): Promise<void> {
    // What arrives in the same turn of the event loop goes into the same batch.
    await Promise.resolve();
    for (let batch = batcher.take(maxRows); batch !== undefined; batch = batcher.take(maxRows)) {
      await move(batch.rows, batch.position);
      if (batch.confirmable !== undefined) stream.confirm(batch.confirmable);
      options.onAppended(batch.rows.length);
      if (batcher.bytes < resumeBytes) stream.resume();
      if (batcher.bytes === 0 && batch.rows.length <= gatherRows && !signal.aborted)
        await gather(batch.rows.length);
    }
  }

  /** Lets the server's messages wait where they are: they are read together then. */
  async function gather(rows: number): Promise<void> {
    stream.pause();
    await pause(Math.min(rows * gatherMsEach, gatherMs));
    if (!signal.aborted) stream.resume();
  }

  function exclusively(body: () => Promise<void>): void {
    appending ??= body()
      .catch((error: unknown) => failed.reject(error))
      .finally(() => (appending = undefined));
  }

  function work(): void {
    exclusively(appendAll);
  }

  /** Lets the server forget the WAL of others while this source has nothing to say. */
  function advance(): void {
    if (!batcher.idle || idleLsn <= position.lsn) return;
    const lsn = idleLsn;
    exclusively(async () => {
      await move([], { lsn, row: 0 });
      stream.confirm(lsn);
      await appendAll();
    });
  }

  const timer = setInterval(() => {
    if (performance.now() - movedAtMs >= idleAdvanceMs) advance();
  }, 1_000);
  const stopped = new Promise<void>((resolve) =>
    signal.addEventListener("abort", () => resolve(), { once: true }),
  );
  try {
    await stream.started;
    options.onStreaming();
    if (!signal.aborted) await Promise.race([stream.ended, failed.promise, stopped]);
  } finally {
    clearInterval(timer);
    stream.pause();
    await appending;
  }
}
