import type { Logger } from "../../log/index.ts";
import type { SubscribeOptions } from "../event-log.ts";
import { type Bury, createApplier, type Task } from "./applier.ts";
import { createCommitter, type WriteCommits } from "./committer.ts";
import { createLanes } from "./lanes.ts";
import type { ConsumerMetrics } from "./metrics.ts";
import type { OwnedPartition } from "./owned-partition.ts";

const defaultConcurrency = 16;
const defaultAttempts = 40;

/** A record as the carrier's reader hands it over. */
export interface LogRecord {
  /** Its place in the partition, in the carrier's own form. */
  readonly id: string;
  readonly key: string;
  readonly payload: Uint8Array;
  /** When it was appended, epoch ms. */
  readonly appendedAtMs: number;
}

/** The way of records from a carrier's reader to their commit; the same for every carrier. */
export interface Pipeline {
  /** Takes the next record of a partition. */
  take(owned: OwnedPartition, record: LogRecord): void;
  /** Passes over a place of a partition at which there is nothing to handle. */
  pass(owned: OwnedPartition, id: string): void;
  /** Commits the handled prefixes of partitions now. Rejects when they could not be written. */
  commit(partitions: Iterable<OwnedPartition>): Promise<void>;
  /** Starts nothing any more. */
  close(): void;
}

export interface PipelineOptions {
  readonly subscription: SubscribeOptions;
  readonly bury: Bury;
  readonly write: WriteCommits;
  /** A write told that another process owns the partition. */
  readonly onLost: (owned: OwnedPartition) => void;
  /** The window of a partition has shrunk. */
  readonly onCommitted: (owned: OwnedPartition) => void;
  readonly log: Logger;
  readonly metrics: ConsumerMetrics;
}

export function createPipeline(options: PipelineOptions): Pipeline {
  const { subscription, bury, write, onLost, onCommitted, log, metrics } = options;
  const committer = createCommitter({ write, log, onLost, onCommitted });
  const { group, topics } = subscription;
  const apply = createApplier({
    group,
    handle: (event, signal) => subscription.handle(event, signal),
    mostAttempts: subscription.mostAttempts ?? defaultAttempts,
    bury,
    log,
    metrics,
    onDone: (owned) => committer.touched(owned),
    onLost,
  });
  const lanes = createLanes<Task>({
    concurrency: subscription.concurrency ?? defaultConcurrency,
    async run(task, attempt) {
      const outcome = await apply(task, attempt);
      if (outcome === undefined) metrics.waiting.dec({ group, topic: task.owned.topic });
      return outcome;
    },
  });
  return {
    take(owned, { id, key, payload, appendedAtMs }) {
      const slot = owned.window.add(id);
      // With the token: a lane of a partition that was lost must not be continued when it comes back.
      const lane = `${owned.token}/${owned.topic}/${owned.partition}/${key}`;
      metrics.waiting.inc({ group, topic: owned.topic });
      lanes.push(lane, { owned, slot, key, payload, appendedAtMs });
    },
    pass(owned, id) {
      owned.window.complete(owned.window.add(id));
      committer.touched(owned);
    },
    commit: committer.commit,
    close() {
      committer.close();
      lanes.close();
      for (const topic of topics) metrics.waiting.set({ group, topic }, 0);
    },
  };
}

/** Tells the gauge how many partitions of each topic this process reads. */
export function reportPartitions(
  metrics: ConsumerMetrics,
  { group, topics }: SubscribeOptions,
  owned: Iterable<OwnedPartition>,
): void {
  const held = [...owned];
  for (const topic of topics)
    metrics.partitions.set({ group, topic }, held.filter((partition) => partition.topic === topic).length);
}
