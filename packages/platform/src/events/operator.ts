import type { Logger } from "../log/index.ts";
import { isKafkaUrl } from "./kafka/brokers.ts";
import { openStreamsOperator } from "./streams/operator.ts";

/** How far a group is behind on one partition. */
export interface PartitionLag {
  readonly group: string;
  readonly topic: string;
  /** 0 to 7. */
  readonly partition: number;
  /** Records appended and not committed. */
  readonly lag: number;
}

/** A record that a group could not apply. */
export interface DeadLetter {
  readonly group: string;
  /** Where the record was. */
  readonly topic: string;
  readonly partition: number;
  readonly position: string;
  readonly key: string;
  /** What the handler said. */
  readonly cause: string;
  /** When it was given up, epoch ms. */
  readonly buriedAtMs: number;
  /** The record's own bytes, which may not be an event. */
  readonly payload: Uint8Array;
}

/** A record to be appended, as an outbox holds it. */
export interface AppendableRecord {
  readonly topic: string;
  readonly key: string;
  readonly payload: Uint8Array;
}

/** What an operator does with the log. Needs the rights of a producer and of an administrator. */
export interface EventLogOperator {
  /** All groups, topics and partitions, sorted in this order. */
  lag(): Promise<readonly PartitionLag[]>;
  /** Groups that have dead letters, sorted. */
  groupsWithDeadLetters(): Promise<readonly string[]>;
  /** The oldest dead letters of a group, at most `limit`, oldest first. */
  deadLetters(group: string, limit: number): Promise<readonly DeadLetter[]>;
  /**
   * Appends the oldest dead letters of a group to their topics again, oldest first, and then removes them.
   * All groups of the topic get them again; what still cannot be applied comes back. When it fails half-way,
   * some are both appended and kept.
   *
   * @returns How many were appended.
   */
  replayDeadLetters(group: string, limit: number): Promise<number>;
  /** Appends in order. When it resolves, all are on disk. */
  append(records: readonly AppendableRecord[]): Promise<void>;
  close(): Promise<void>;
}

/** Opens the operator's side of the log on the carrier that the URL names; see EventLogOptions.url. */
export async function openEventLogOperator({
  url,
  log,
}: {
  url: string;
  log: Logger;
}): Promise<EventLogOperator> {
  if (!isKafkaUrl(url)) return openStreamsOperator(url, log);
  return (await import("./kafka/operator.ts")).openKafkaOperator(url);
}
