/** How many of some answers get a line in the log. */
export interface AccessLogRule {
  /** Names of routes; all when absent. */
  readonly routes?: readonly string[] | undefined;
  /** First digits of statuses, 2 for 2xx; all when absent. */
  readonly statuses?: readonly number[] | undefined;
  /** From 0, none, to 1, all. */
  readonly sample: number;
}

/** Throws when a rule names a route that is not there. */
export function checkAccessLog(rules: readonly AccessLogRule[], routeNames: readonly string[]): void {
  const unknown = rules.flatMap(({ routes = [] }) => routes).find((name) => !routeNames.includes(name));
  if (unknown !== undefined) throw new Error(`accessLog: there is no route "${unknown}"`);
}

/** The share of such answers that are logged: that of the first rule that fits, or 1. */
export function sampleOf(rules: readonly AccessLogRule[], route: string, status: number): number {
  for (const { routes, statuses, sample } of rules) {
    if (routes !== undefined && !routes.includes(route)) continue;
    if (statuses !== undefined && !statuses.includes(Math.floor(status / 100))) continue;
    return sample;
  }
  return 1;
}
