import { type Logger, type Metrics, openPostgres, type Postgres } from "@chirrup/platform";
import { slotName } from "./slot.ts";

export interface RelayMetrics {
  appended(source: string, rows: number): void;
  reconnected(source: string): void;
}

/** Counters of the relay. */
export function relayMetrics(metrics: Metrics, sources: Iterable<string>): RelayMetrics {
  const appended = metrics.counter({
    name: "chirrup_relay_events_total",
    help: "Outbox rows appended to the streams.",
    labels: ["source"],
  });
  const reconnects = metrics.counter({
    name: "chirrup_relay_reconnects_total",
    help: "Sessions of a source that failed and were begun again.",
    labels: ["source"],
  });
  for (const source of sources) {
    appended.inc({ source }, 0);
    reconnects.inc({ source }, 0);
  }
  return {
    appended: (source, rows) => appended.inc({ source }, rows),
    reconnected: (source) => reconnects.inc({ source }),
  };
}

/**
 * Adds the gauge of WAL bytes that a source's slot still holds back; asks Postgres at each scrape. A source that does
 * not answer has no value, rather than an old one.
 */
export function watchSlotLag(
  metrics: Metrics,
  sources: ReadonlyMap<string, string>,
  log: Logger,
): { close(): Promise<void> } {
  const pools = new Map<string, Postgres>();
  for (const [source, url] of sources)
    pools.set(
      source,
      openPostgres({
        url,
        applicationName: "chirrup-relay-metrics",
        maxConnections: 1,
        statementTimeoutMs: 1_000,
        log,
      }),
    );
  metrics.gauge({
    name: "chirrup_relay_lag_bytes",
    help: "WAL written since the position that the slot has confirmed.",
    labels: ["source"],
    async collect(gauge) {
      await Promise.all(
        [...pools].map(async ([source, postgres]) => {
          const lagBytes = await slotLagBytes(postgres, source).catch(() => undefined);
          if (lagBytes === undefined) gauge.remove({ source });
          else gauge.set({ source }, lagBytes);
        }),
      );
    },
  });
  return {
    async close() {
      await Promise.all([...pools.values()].map((postgres) => postgres.close()));
    },
  };
}

async function slotLagBytes(postgres: Postgres, source: string): Promise<number | undefined> {
  const [row] = await postgres.query<{ bytes: string | null }>({
    name: "relay_slot_lag",
    text: `select pg_wal_lsn_diff(pg_current_wal_lsn(), confirmed_flush_lsn)::text as bytes
           from pg_replication_slots where slot_name = $1`,
    values: [slotName(source)],
  });
  return row === undefined || row.bytes === null ? undefined : Number(row.bytes);
}
