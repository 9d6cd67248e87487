import { setTimeout as pause } from "node:timers/promises";
import type { ClusterMetadata, Consumer, RecordsBatch } from "@platformatic/kafka";
import type { Logger } from "../../log/index.ts";
import type { OwnedPartition } from "../consume/owned-partition.ts";
import type { Pipeline } from "../consume/pipeline.ts";
import { type FetchResponse, lastOffsetOf, recordsOf } from "./records.ts";

/** A partition with this many records read and not committed is left alone until it has halved. */
const windowRecords = 1_024;
/** What is taken of one fetch at most. A broker sends whole batches; the rest of one is fetched again. */
const mostRecords = 2 * windowRecords;
const partitionMaxBytes = 64 * 1_024;
const maxBytes = 4 * 1_024 * 1_024;
/** How long a broker may hold a fetch for which it has nothing. */
const waitMs = 500;
/** The same while a partition is left alone: it may have room again at any moment, and a fetch cannot be ended. */
const shortWaitMs = 20;
/** How long to wait for a leader, or after a failure. */
const retryMs = 200;
const earliest = -2n;
const offsetOutOfRange = 1;

export interface Reader {
  /** Tells that the partitions to read have changed. */
  wake(): void;
  /** Tells that a partition's window has shrunk. */
  shrunk(owned: OwnedPartition): void;
  /** Resolves when the reading has ended; the signal ends it. */
  readonly done: Promise<void>;
}

export interface ReaderOptions {
  /** For fetches alone: a broker answers the requests of one connection in their order. */
  readonly fetcher: Consumer;
  readonly topics: readonly string[];
  readonly owned: () => Iterable<OwnedPartition>;
  readonly pipeline: Pick<Pipeline, "take" | "pass">;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

const nextOf = (owned: OwnedPartition): bigint => BigInt(owned.readFrom) + 1n;
const nameOf = (topic: string, partition: number): string => `${topic}:${partition}`;

/** Reads the partitions of a process by one fetch at a time from each broker that leads some of them. */
export function startReader({ fetcher, topics, owned, pipeline, log, signal }: ReaderOptions): Reader {
  const full = new Set<OwnedPartition>();
  const busyNodes = new Set<number>();
  let wakeUp = Promise.withResolvers<void>();

  function readable(): OwnedPartition[] {
    full.clear();
    const partitions = [];
    for (const partition of owned()) {
      if (!partition.active) continue;
      if (partition.window.size >= windowRecords) full.add(partition);
      else partitions.push(partition);
    }
    return partitions;
  }

  async function fetchFrom(
    node: number,
    partitions: readonly OwnedPartition[],
    metadata: ClusterMetadata,
  ): Promise<void> {
    const asked = new Map(partitions.map((held) => [nameOf(held.topic, held.partition), held]));
    const topicNames = new Map([...metadata.topics].map(([name, { id }]) => [id, name]));
    try {
      const response = await fetcher.fetch({
        node,
        maxWaitTime: full.size > 0 ? shortWaitMs : waitMs,
        minBytes: 1,
        maxBytes,
        topics: partitions.map((held) => ({
          topicId: metadata.topics.get(held.topic)?.id ?? "",
          partitions: [
            {
              partition: held.partition,
              fetchOffset: nextOf(held),
              partitionMaxBytes,
              currentLeaderEpoch: -1,
              lastFetchedEpoch: -1,
            },
          ],
        })),
      });
      receive(response, asked, topicNames);
    } catch (error) {
      if (signal.aborted) return;
      log.debug({ err: error, node }, "event log: fetch failed, will be repeated");
      const response = (error as { response?: FetchResponse }).response;
      if (response !== undefined) await startOver(response, asked, topicNames);
      await pause(retryMs);
    } finally {
      busyNodes.delete(node);
      wakeUp.resolve();
    }
  }

  function receive(
    { responses }: FetchResponse,
    asked: ReadonlyMap<string, OwnedPartition>,
    topicNames: ReadonlyMap<string, string>,
  ): void {
    for (const { topicId, partitions } of responses) {
      for (const { partitionIndex, records } of partitions) {
        const held = asked.get(nameOf(topicNames.get(topicId) ?? "", partitionIndex));
        if (held === undefined) continue;
        for (const batch of records ?? []) if (held.window.size < mostRecords) receiveBatch(held, batch);
      }
    }
  }

  function receiveBatch(held: OwnedPartition, batch: RecordsBatch): void {
    const lastOffset = lastOffsetOf(batch);
    for (const { offset, key, value, appendedAtMs } of recordsOf(batch)) {
      // A batch comes whole, though only its end was asked for.
      if (!held.active || offset < nextOf(held)) continue;
      if (held.window.size >= mostRecords) return;
      held.readFrom = String(offset);
      pipeline.take(held, { id: held.readFrom, key, payload: value, appendedAtMs });
    }
    // Markers of transactions, and what compaction left out at the end, are places without a record.
    if (held.active && lastOffset >= nextOf(held)) {
      held.readFrom = String(lastOffset);
      pipeline.pass(held, held.readFrom);
    }
  }

  /** Goes to the earliest record that is kept where the position lies outside of the partition. */
  async function startOver(
    { responses }: FetchResponse,
    asked: ReadonlyMap<string, OwnedPartition>,
    topicNames: ReadonlyMap<string, string>,
  ): Promise<void> {
    for (const { topicId, partitions } of responses) {
      for (const { partitionIndex, errorCode } of partitions) {
        const topic = topicNames.get(topicId) ?? "";
        const held = asked.get(nameOf(topic, partitionIndex));
        if (held === undefined || errorCode !== offsetOutOfRange) continue;
        try {
          const first = await fetcher.listOffsets({
            topics: [topic],
            partitions: { [topic]: [partitionIndex] },
            timestamp: earliest,
          });
          const offset = first.get(topic)?.[partitionIndex];
          if (offset === undefined || !held.active) continue;
          log.error(
            { topic, partition: partitionIndex, position: held.readFrom, earliest: String(offset) },
            "event log: the position is no longer in the log, going on at the earliest record",
          );
          held.readFrom = String(offset - 1n);
        } catch (error) {
          log.debug(
            { err: error, topic },
            "event log: the earliest record is not known, will be asked again",
          );
        }
      }
    }
  }

  async function startFetches(): Promise<void> {
    const metadata = await fetcher.metadata({ topics: [...topics] });
    // No await from here on: a change either is in the list or wakes the next round.
    wakeUp = Promise.withResolvers<void>();
    const byLeader = Map.groupBy(
      readable(),
      ({ topic, partition }) => metadata.topics.get(topic)?.partitions[partition]?.leader ?? -1,
    );
    const leaderless = byLeader.delete(-1);
    for (const [node, partitions] of byLeader) {
      if (busyNodes.has(node)) continue;
      busyNodes.add(node);
      void fetchFrom(node, partitions, metadata);
    }
    const retry = leaderless ? setTimeout(() => wakeUp.resolve(), retryMs) : undefined;
    await wakeUp.promise;
    clearTimeout(retry);
  }

  async function run(): Promise<void> {
    while (!signal.aborted) {
      try {
        await startFetches();
      } catch (error) {
        if (signal.aborted) return;
        log.debug({ err: error }, "event log: the brokers cannot be reached, will be repeated");
        await pause(retryMs);
      }
    }
  }

  signal.addEventListener("abort", () => wakeUp.resolve());
  return {
    wake: () => wakeUp.resolve(),
    shrunk(partition) {
      if (partition.window.size <= windowRecords / 2 && full.delete(partition)) wakeUp.resolve();
    },
    done: run(),
  };
}
