import { create, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { EventSchema } from "@chirrup/proto/chirrup/events/v1/event";
import type { Logger } from "../log/index.ts";
import { keepUp } from "../postgres/keep-up.ts";
import type { Postgres, Queryable } from "../postgres/index.ts";

/** What happened: one case of the Event message's `payload`. */
export type EventPayload = Exclude<
  MessageInitShape<typeof EventSchema>["payload"],
  undefined | { case: undefined }
>;

export interface OutboxEntry {
  topic: string;
  /** Events of one topic and key stay in order. */
  key: bigint;
  event: EventPayload;
  /** A new id; consumers know a repeated event by it. */
  eventId: bigint;
  /** W3C trace context of the request, or empty. */
  traceparent: string;
}

const schemaVersion = 1;

/**
 * Appends an event to the outbox. To be called in the transaction of the change that the event tells of: it
 * is published when that commits, and never otherwise. One row, one index entry, one round trip.
 *
 * Throws UNAVAILABLE while there is no partition for now: the maintenance has not caught up after a long sleep.
 */
export async function appendOutbox(tx: Queryable, entry: OutboxEntry): Promise<void> {
  await tx.query({
    name: "outbox_append",
    text: "insert into outbox (id, topic, key, payload) values ($1, $2, $3, $4)",
    values: [entry.eventId, entry.topic, String(entry.key), outboxPayload(entry)],
  });
}

/** What the outbox has in `payload` of an event, for a statement with `appendEvents`. */
export function outboxPayload({
  event,
  eventId,
  traceparent,
}: Pick<OutboxEntry, "event" | "eventId" | "traceparent">): Uint8Array {
  return toBinary(EventSchema, create(EventSchema, { eventId, schemaVersion, traceparent, payload: event }));
}

/**
 * SQL that appends events to the outbox in the very statement that makes the change they tell of: the rows of a CTE, in
 * their order, with the columns `event_id bigint`, `topic text`, `key text` and `payload bytea`. For changes so frequent
 * that a transaction's round trips are most of what they cost.
 */
export function appendEvents(cte: string): string {
  return `insert into outbox (id, topic, key, payload) select event_id, topic, key, payload from ${cte}`;
}

const everyMs = 5 * 60_000;
/** An idle consumer can be replayed this far back. */
const keep = "48 hours";
/** As long as a machine may sleep, or its database be unmaintained, before an append finds no partition. */
const ahead = "3 days";

/**
 * Makes the outbox's partitions for the next three days and drops those that are older than 48 hours, now
 * and every few minutes until `signal` aborts. Any number of instances may do it at once.
 *
 * Resolves when the partitions are there; only then may a service call itself ready.
 */
export function maintainOutbox(options: {
  postgres: Postgres;
  log: Logger;
  signal: AbortSignal;
}): Promise<void> {
  const { postgres, log, signal } = options;
  return keepUp({
    name: "outbox partitions",
    everyMs,
    log,
    signal,
    async run() {
      const created = await createPartitions(postgres);
      if (created.length > 0) log.info({ partitions: created }, "made outbox partitions");
      // Appending does not depend on dropping, which may have to give way to a long transaction.
      try {
        for (let dropped; (dropped = await dropOldestPartition(postgres)) !== undefined;) {
          log.info({ partition: dropped }, "dropped an outbox partition");
        }
      } catch (error) {
        log.warn({ err: error }, "an outbox partition was not dropped; trying again later");
      }
    },
  });
}

async function createPartitions(postgres: Postgres): Promise<string[]> {
  const rows = await postgres.query<{ partition: string }>({
    name: "outbox_create_partitions",
    text: "select partition from outbox_create_partitions($1::interval) as partition",
    values: [ahead],
  });
  return rows.map(({ partition }) => partition);
}

async function dropOldestPartition(postgres: Postgres): Promise<string | undefined> {
  const [row] = await postgres.query<{ partition: string | null }>({
    name: "outbox_drop_oldest_partition",
    text: "select outbox_drop_oldest_partition($1::interval) as partition",
    values: [keep],
  });
  return row?.partition ?? undefined;
}
