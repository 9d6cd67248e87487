import type pg from "pg";
import type { Metrics } from "../metrics/index.ts";

/** Gauges of a pool, read at each scrape. */
export function watchPool(metrics: Metrics, pool: pg.Pool, applicationName: string): void {
  metrics.gauge({
    name: "postgres_pool_connections",
    help: "Connections of the pool, by whether they are in use.",
    labels: ["pool", "state"],
    collect(gauge) {
      gauge.set({ pool: applicationName, state: "idle" }, pool.idleCount);
      gauge.set({ pool: applicationName, state: "used" }, pool.totalCount - pool.idleCount);
    },
  });
  metrics.gauge({
    name: "postgres_pool_waiting_calls",
    help: "Calls that wait for a connection.",
    labels: ["pool"],
    collect: (gauge) => gauge.set({ pool: applicationName }, pool.waitingCount),
  });
}
