import { setTimeout as pause } from "node:timers/promises";
import type { Redis } from "ioredis";
import type { Logger } from "../../log/index.ts";
import type { OwnedPartition } from "../consume/owned-partition.ts";
import type { LogRecord } from "../consume/pipeline.ts";
import { whenReady } from "./connection.ts";
import { streamKeys } from "./keys.ts";

/** Entries asked for from each partition at a time. */
const readEntries = 128;
/** A partition with this many entries read and not committed is left alone until it has halved. */
const windowEntries = 1_024;
const blockMs = 1_000;

export interface Reader {
  /** Tells that the partitions to read have changed, or that one of them has room again. */
  wake(): void;
  /** Tells that a partition's window has shrunk. */
  shrunk(owned: OwnedPartition): void;
  /** Resolves when the reading has ended; the signal ends it. */
  readonly done: Promise<void>;
}

export interface ReaderOptions {
  /** For blocking reads alone. */
  readonly blocking: Redis;
  /** Any other connection of the same server, to end a blocking read early. */
  readonly redis: Redis;
  readonly owned: () => Iterable<OwnedPartition>;
  readonly take: (owned: OwnedPartition, record: LogRecord) => void;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

/**
 * Reads all partitions of a process by one blocking command, so an entry arrives in about the time of
 * a round trip, however many partitions there are.
 */
export function startReader({ blocking, redis, owned, take, log, signal }: ReaderOptions): Reader {
  const full = new Set<OwnedPartition>();
  let wakeUp = Promise.withResolvers<void>();
  let connectionId: number | undefined;
  /** Set while a blocking read is out. */
  let outstanding: symbol | undefined;
  blocking.on("close", () => (connectionId = undefined));

  function readable(): OwnedPartition[] {
    const partitions = [];
    full.clear();
    for (const partition of owned()) {
      if (!partition.active) continue;
      if (partition.window.size >= windowEntries) full.add(partition);
      else partitions.push(partition);
    }
    return partitions;
  }

  /** Ends the blocking read that is out. It may not have reached the server yet, so until it has. */
  async function unblock(read: symbol): Promise<void> {
    if (outstanding !== read || connectionId === undefined || signal.aborted) return;
    const unblocked = await redis.call("CLIENT", "UNBLOCK", connectionId).catch(() => 0);
    if (unblocked === 1) return;
    await pause(2);
    return unblock(read);
  }

  function wake(): void {
    wakeUp.resolve();
    if (outstanding !== undefined) void unblock(outstanding);
  }

  async function read(): Promise<void> {
    await whenReady(blocking, signal);
    connectionId ??= Number(await blocking.call("CLIENT", "ID"));
    wakeUp = Promise.withResolvers<void>();
    const partitions = readable();
    if (partitions.length === 0) return wakeUp.promise;
    // No await from here to the read: a change either is in the list or finds the read out.
    const keys = partitions.map(({ topic, partition }) => streamKeys.stream(topic, partition));
    const ids = partitions.map(({ readFrom }) => readFrom);
    outstanding = Symbol("read");
    let reply;
    try {
      const limits = ["COUNT", readEntries, "BLOCK", blockMs];
      reply = (await blocking.callBuffer("XREAD", [...limits, "STREAMS", ...keys, ...ids])) as StreamReply;
    } finally {
      outstanding = undefined;
    }
    for (const [key, entries] of reply ?? []) {
      const partition = partitions[keys.indexOf(key.toString())];
      if (partition === undefined) continue;
      for (const [id, fields] of entries) {
        if (!partition.active) break;
        partition.readFrom = id.toString();
        take(partition, toRecord(partition.readFrom, fields));
      }
    }
  }

  async function run(): Promise<void> {
    while (!signal.aborted) {
      try {
        await read();
      } catch (error) {
        if (signal.aborted) return;
        log.debug({ err: error }, "event log: read failed, will be repeated");
        // A read that timed out would leave its answer to the next command.
        blocking.disconnect(true);
        await pause(100);
      }
    }
  }

  signal.addEventListener("abort", () => {
    wakeUp.resolve();
    blocking.disconnect();
  });
  return {
    wake,
    shrunk(partition) {
      if (partition.window.size <= windowEntries / 2 && full.delete(partition)) wake();
    },
    done: run(),
  };
}

type StreamReply = [key: Buffer, entries: [id: Buffer, fields: Buffer[]][]][] | null;

function toRecord(id: string, fields: readonly Buffer[]): LogRecord {
  let key = "";
  let payload: Buffer = Buffer.alloc(0);
  for (let i = 0; i + 1 < fields.length; i += 2) {
    const value = fields[i + 1] as Buffer;
    if (fields[i]?.toString() === "k") key = value.toString();
    else if (fields[i]?.toString() === "e") payload = value;
  }
  // An id begins with the milliseconds of its append.
  return { id, key, payload, appendedAtMs: Number(id.slice(0, id.indexOf("-"))) };
}
