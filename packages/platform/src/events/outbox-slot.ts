import type { Gauge } from "prom-client";
import type { Metrics } from "../metrics/index.ts";
import type { Queryable } from "../postgres/index.ts";

const answersWithinMs = 1_000;

interface SlotRow {
  slot: string;
  lag_bytes: string | null;
  left_bytes: string | null;
  active: boolean;
  lost: boolean;
}

/**
 * Adds the gauges of the slot through which the outbox is read. Postgres is asked at each scrape; while it
 * does not answer they have no value, rather than an old one.
 *
 * @param options.postgres The primary.
 */
export function watchOutboxSlot({ postgres, metrics }: { postgres: Queryable; metrics: Metrics }): void {
  let asking: Promise<readonly SlotRow[]> | undefined;
  /** One question for a scrape, whose gauges all ask in the same turn. */
  function ask(): Promise<readonly SlotRow[]> {
    asking ??= Promise.race([readSlots(postgres), timeout()])
      .catch(() => [])
      .finally(() => (asking = undefined));
    return asking;
  }
  function gauge(name: string, help: string, valueOf: (row: SlotRow) => number | undefined): void {
    metrics.gauge({
      name,
      help,
      labels: ["slot"],
      async collect(own: Gauge<"slot">) {
        const rows = await ask();
        own.reset();
        for (const row of rows) {
          const value = valueOf(row);
          if (value !== undefined) own.set({ slot: row.slot }, value);
        }
      },
    });
  }
  const bytes = (text: string | null): number | undefined => (text === null ? undefined : Number(text));

  gauge(
    "chirrup_outbox_slot_lag_bytes",
    "WAL written since the position that the reader of the outbox has confirmed.",
    (row) => bytes(row.lag_bytes),
  );
  gauge(
    "chirrup_outbox_slot_left_bytes",
    "WAL that may still be written before Postgres gives the slot up (max_slot_wal_keep_size).",
    (row) => bytes(row.left_bytes),
  );
  gauge("chirrup_outbox_slot_active", "1 while somebody reads the outbox's slot.", ({ active }) =>
    Number(active),
  );
  gauge(
    "chirrup_outbox_slot_lost",
    "1 when Postgres removed WAL that the slot's reader lacks: run chirrup events recover.",
    ({ lost }) => Number(lost),
  );
}

function timeout(): Promise<never> {
  return new Promise((_, reject) => {
    setTimeout(() => reject(new Error("Postgres does not answer")), answersWithinMs).unref();
  });
}

/** The logical slots of this database: every role may see them. */
function readSlots(postgres: Queryable): Promise<readonly SlotRow[]> {
  return postgres.query<SlotRow>({
    name: "outbox_slots",
    text: `select slot_name as slot, active, wal_status is not distinct from 'lost' as lost,
             pg_wal_lsn_diff(pg_current_wal_lsn(), confirmed_flush_lsn)::text as lag_bytes, safe_wal_size::text as left_bytes
           from pg_replication_slots where slot_type = 'logical' and database = current_database() and not temporary`,
  });
}
