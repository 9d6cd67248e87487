import type { Event } from "@chirrup/proto/chirrup/events/v1/event";

/** One record of the log. */
export interface ReceivedEvent {
  readonly topic: string;
  /** 0 to 7. */
  readonly partition: number;
  /** Place in the partition, in the carrier's own form. Grows, and means nothing across partitions. */
  readonly position: string;
  /** Records of one key are handled one after the other, in the order of their commits. */
  readonly key: string;
  readonly event: Event;
}

/**
 * Thrown by a handler for an event that can never be applied. The event goes to the dead-letter topic of
 * the group with this message as its cause, and the group goes on behind it.
 */
export class UnprocessableEvent extends Error {
  override readonly name = "UnprocessableEvent";
}

export interface SubscribeOptions {
  /**
   * Name of the consumer group: `[a-z0-9-]+`. All processes that subscribe with one name share the
   * partitions, and the log remembers one position for each partition of the group.
   */
  readonly group: string;
  readonly topics: readonly string[];
  /** Handlers that run at a time in this process, for different keys. Default 16. */
  readonly concurrency?: number;
  /**
   * How often an event is tried that fails by a fault of its own: a bug, a row that the database refuses, a peer's
   * refusal. Then it becomes a dead letter. Default 40, which take five minutes.
   */
  readonly mostAttempts?: number;
  /**
   * Applies one event. It must be idempotent: after a crash, or when a partition moves to another
   * process, events come again.
   *
   * Any error but {@link UnprocessableEvent} is retried with a growing pause: `mostAttempts` times when the fault is
   * the event's own, for ever when it may be an outage. Meanwhile the events of that key wait and those of other
   * keys go on.
   *
   * @param signal Aborted when this process no longer owns the event's partition: whatever the handler
   *   still does competes with the new owner.
   */
  handle(event: ReceivedEvent, signal: AbortSignal): Promise<void>;
}

export interface Subscription {
  /**
   * Events appended and not yet committed by this group, over all partitions of its topics, owned by
   * this process or not. Asks the log.
   */
  lag(): Promise<number>;
  /**
   * Takes no further events, waits a few seconds for the handlers in flight, commits what they did and
   * hands the partitions over at once.
   */
  close(): Promise<void>;
}

/**
 * The log that services meet in. Delivery is at least once; a group starts at the earliest record that is
 * kept when it has no position; a position is committed only when every record before it was handled.
 */
export interface EventLog {
  /**
   * Joins a group. Resolves when the group is registered, so that from then on nothing it has not read is
   * trimmed; waits for the log as long as it is away. Rejects when the log is closed meanwhile.
   */
  subscribe(options: SubscribeOptions): Promise<Subscription>;
  /** Closes all subscriptions, then the connections. */
  close(): Promise<void>;
}
