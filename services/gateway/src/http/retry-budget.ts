/** How much of the load of each service may be second tries: a service that is down must not get twice the calls. */
export interface RetryBudget {
  /** Counts a call to the service. */
  called(service: string): void;
  /** Whether one more may be tried again; takes it. */
  take(service: string): boolean;
}

/** For each call, so much of a second one: a tenth. */
const share = 0.1;
/** Second tries at once, when there were calls enough before. */
const most = 10;

export function createRetryBudget(): RetryBudget {
  const budgets = new Map<string, number>();
  return {
    called(service) {
      const left = budgets.get(service) ?? most;
      if (left < most) budgets.set(service, Math.min(most, left + share));
    },
    take(service) {
      const left = budgets.get(service) ?? most;
      if (left < 1) return false;
      budgets.set(service, left - 1);
      return true;
    },
  };
}
