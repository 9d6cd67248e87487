import { setTimeout as pause } from "node:timers/promises";
import { type Logger, whenReady } from "@chirrup/platform";
import type { Redis } from "ioredis";
import { connectReplication, type ReplicationConnection } from "./replication/connection.ts";
import { prepareSlot } from "./slot.ts";
import { createSourceStore } from "./store/source-store.ts";
import { streamSource } from "./stream-source.ts";

const standbyPollMs = 500;
const backoffMostMs = 5_000;

export interface SourceOptions {
  /** "post"; `[a-z0-9_]+`, as it becomes part of the slot's name. */
  readonly source: string;
  /** postgres:// of a role with REPLICATION. */
  readonly url: string;
  readonly redis: Redis;
  readonly log: Logger;
  readonly onAppended: (rows: number) => void;
  readonly onReconnect: () => void;
  readonly signal: AbortSignal;
}

export interface Source {
  readonly name: string;
  /** Undefined while it streams, else what it does instead. */
  readonly reason: string | undefined;
  /** Resolves after the signal, when everything is closed. */
  readonly done: Promise<void>;
}

/** Keeps one database's outbox flowing into the streams, through every failure of the two servers. */
export function startSource(options: SourceOptions): Source {
  const { source, url, redis, log, signal } = options;
  const store = createSourceStore(redis, source);
  let reason: string | undefined = "starting";

  /**
   * One relay at a time works on a source. The lock goes with the connection, and so with the slot: the
   * one who holds it finds the slot unused.
   */
  async function takeTurn(connection: ReplicationConnection): Promise<void> {
    for (;;) {
      const [lock] = await connection.query<{ taken: boolean }>(
        `SELECT pg_try_advisory_lock(hashtextextended('chirrup.relay.${source}', 0)) AS taken`,
      );
      if (lock?.taken === true) return;
      if (reason !== standby) log.info({ source }, "another relay holds the source; waiting to take over");
      reason = standby;
      await pause(standbyPollMs, undefined, { signal });
    }
  }

  async function session(): Promise<void> {
    // Without Redis there is nothing to read for; the slot keeps the events.
    await whenReady(redis, signal);
    const connection = await connectReplication(url, `chirrup-relay-${source}`);
    try {
      await takeTurn(connection);
      reason = "preparing the slot";
      const start = await unlessAborted(prepareSlot({ connection, source, store, log }), signal);
      await streamSource({
        connection,
        source,
        store,
        start,
        signal,
        onAppended: options.onAppended,
        onStreaming() {
          reason = undefined;
          log.info({ source }, "streaming");
        },
      });
    } finally {
      await connection.close();
    }
  }

  async function run(): Promise<void> {
    for (let attempt = 0; !signal.aborted; attempt++) {
      try {
        await session();
      } catch (error) {
        if (signal.aborted) return;
        if (reason === undefined) attempt = 0;
        reason = error instanceof Error ? error.message : String(error);
        options.onReconnect();
        const waitMs = Math.min(100 * 2 ** Math.min(attempt, 10), backoffMostMs) * (0.5 + Math.random() / 2);
        log.warn({ err: error, source, waitMs: Math.round(waitMs) }, "source failed, will be resumed");
        await pause(waitMs, undefined, { signal }).catch(() => undefined);
      }
    }
  }

  return {
    name: source,
    get reason() {
      return reason;
    },
    done: run(),
  };
}

/** Making a slot waits for every transaction that runs, which may be long. */
async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const aborted = Promise.withResolvers<never>();
  const onAbort = (): void => aborted.reject(signal.reason);
  signal.addEventListener("abort", onAbort);
  try {
    if (signal.aborted) onAbort();
    return await Promise.race([work, aborted.promise]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}

const standby = "another relay holds the source";
