import { create, toBinary } from "@bufbuild/protobuf";
import type { EventLog } from "@chirrup/platform";
import { EventSchema } from "@chirrup/proto/chirrup/events/v1/event";

/** One record to append, as the outbox holds it. */
export interface AppendedRecord {
  readonly topic: string;
  readonly key: string;
  readonly payload: Uint8Array;
}

export interface DeadLetter extends AppendedRecord {
  readonly position: string;
  readonly cause: string;
}

/** What a carrier of the event log brings to the contract suite. */
export interface Carrier {
  /** Where its server is. */
  readonly url: string;
  /** A module that exports `openLog(url): EventLog`, for consumers in processes of their own. */
  readonly module: URL;
  /** Opens the log as a process of its own would. */
  openLog(): EventLog;
  /** Appends in order, in place of the relay. */
  append(records: readonly AppendedRecord[]): Promise<void>;
  deadLetters(group: string): Promise<DeadLetter[]>;
  /** How long a graceful hand-over may take at most: less than a lease lasts. */
  readonly handsOverWithinMs: number;
  /** The partition that a key belongs to. */
  partitionOf(key: string): number;
  close(): Promise<void>;
}

/** A record with an event that tells its number. */
export function numbered(key: string, number: number, topic = "posts"): AppendedRecord {
  const event = create(EventSchema, {
    eventId: BigInt(number),
    schemaVersion: 1,
    payload: { case: "postCreated", value: { postId: BigInt(number), authorId: 1n } },
  });
  return { topic, key, payload: toBinary(EventSchema, event) };
}

/** `count` records over `keys` keys, each key numbered from 1. */
export function numberedRecords(count: number, keys: number, topic = "posts"): AppendedRecord[] {
  return Array.from({ length: count }, (_, i) => numbered(`k${i % keys}`, Math.floor(i / keys) + 1, topic));
}

/**
 * What is wrong with the order in which events were handled, first of each key: a number may come again, but none may
 * come for the first time before all those below it. Undefined when nothing is.
 */
export function firstFault(
  handled: readonly { readonly key: string; readonly number: number }[],
): string | undefined {
  const highest = new Map<string, number>();
  for (const { key, number } of handled) {
    const before = highest.get(key) ?? 0;
    if (number > before + 1) return `${key}: ${number} after ${before}`;
    highest.set(key, Math.max(before, number));
  }
  return undefined;
}
