import type { Metrics } from "@chirrup/platform";

/** What the gateway counts. */
export interface Telemetry {
  /** `route` is a route's name, or "" for none; never the path itself, of which there is no end. */
  answered(route: string, status: number, seconds: number): void;
  rateLimited(rule: string): void;
  redisFailed(): void;
  /** Files were taken over, or refused. */
  loaded(version: string): void;
  refused(): void;
}

export function createTelemetry(metrics: Metrics): Telemetry {
  const requests = metrics.histogram({
    name: "chirrup_gateway_request_seconds",
    help: "Time from a request's head to its answer.",
    labels: ["route", "status"],
  });
  const denials = metrics.counter({
    name: "chirrup_gateway_rate_limited_total",
    help: "Requests denied by a rate rule.",
    labels: ["rule"],
  });
  const failures = metrics.counter({
    name: "chirrup_gateway_rate_redis_failures_total",
    help: "Calls for token buckets that Redis did not answer in time.",
  });
  const configuration = metrics.gauge({
    name: "chirrup_gateway_configuration_info",
    help: "1 for the version of the files that are served.",
    labels: ["version"],
  });
  const reloads = metrics.counter({
    name: "chirrup_gateway_reloads_total",
    help: "Versions of the files by what became of them.",
    labels: ["outcome"],
  });
  let served: string | undefined;
  return {
    loaded(version) {
      if (served !== undefined) configuration.set({ version: served }, 0);
      configuration.set({ version }, 1);
      served = version;
      reloads.inc({ outcome: "served" });
    },
    refused: () => reloads.inc({ outcome: "refused" }),
    answered: (route, status, seconds) => requests.observe({ route, status }, seconds),
    rateLimited: (rule) => denials.inc({ rule }),
    redisFailed: () => failures.inc(),
  };
}
