import type { Metrics } from "@chirrup/platform";

/** What the gateway counts. */
export interface Telemetry {
  /** `route` is a route's name, or "" for none; never the path itself, of which there is no end. */
  answered(route: string, status: number, seconds: number): void;
  rateLimited(rule: string): void;
  redisFailed(): void;
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
  return {
    answered: (route, status, seconds) => requests.observe({ route, status }, seconds),
    rateLimited: (rule) => denials.inc({ rule }),
    redisFailed: () => failures.inc(),
  };
}
