import type { Metrics } from "@chirrup/platform";

/** What the gateway counts. */
export interface Telemetry {
  /** `route` is a route's name, or "" for none; never the path itself, of which there is no end. */
  answered(route: string, status: number, seconds: number): void;
  rateLimited(rule: string): void;
  /** A rule that is a dry run would have denied a request. */
  rateDryRun(rule: string): void;
  redisFailed(): void;
  /** Redis gave the buckets, or did not. */
  redisAnswered(seconds: number): void;
  /** A call to a service ended, its second try included. */
  upstreamAnswered(service: string, seconds: number): void;
  retried(service: string): void;
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
  const dryRuns = metrics.counter({
    name: "chirrup_gateway_rate_dry_run_denials_total",
    help: "Requests that a rate rule would have denied, if it were no dry run.",
    labels: ["rule"],
  });
  const redis = metrics.histogram({
    name: "chirrup_gateway_rate_redis_seconds",
    help: "Time that a request waited for its token buckets.",
  });
  const upstreams = metrics.histogram({
    name: "chirrup_gateway_upstream_seconds",
    help: "Time of calls to services, second tries included; of streams none.",
    labels: ["upstream"],
  });
  // Bound to their label once: a lookup by labels costs as much as the rest.
  const byUpstream = new Map<string, { observe(seconds: number): void }>();
  const retries = metrics.counter({
    name: "chirrup_gateway_retries_total",
    help: "Calls that were made again, since the first got no answer.",
    labels: ["upstream"],
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
    rateDryRun: (rule) => dryRuns.inc({ rule }),
    redisAnswered: (seconds) => redis.observe(seconds),
    upstreamAnswered(service, seconds) {
      let bound = byUpstream.get(service);
      if (bound === undefined) byUpstream.set(service, (bound = upstreams.labels(service)));
      bound.observe(seconds);
    },
    retried: (service) => retries.inc({ upstream: service }),
    rateLimited: (rule) => denials.inc({ rule }),
    redisFailed: () => failures.inc(),
  };
}
