import type { State } from "../launcher/state.ts";
import type { Ledger } from "./ledger.ts";
import type { CheckResult } from "./verify-writes.ts";

/** What every run of faults tells. */
export interface Summary {
  readonly profile: string;
  readonly randomSeed: number;
  readonly seconds: number;
  readonly acknowledged: number;
  /** Writes of which it is open whether they were done; both are right. */
  readonly ambiguous: number;
  readonly writes: Ledger["counts"];
  readonly checks: readonly CheckResult[];
  /** Of all checks together. */
  readonly faults: number;
}

export function summarize(run: {
  readonly state: State;
  readonly randomSeed: number;
  readonly startedAt: number;
  readonly ledger: Ledger;
  readonly checks: readonly CheckResult[];
}): Summary {
  const counts = Object.values(run.ledger.counts);
  return {
    profile: run.state.profile,
    randomSeed: run.randomSeed,
    seconds: Math.round((performance.now() - run.startedAt) / 100) / 10,
    acknowledged: counts.reduce((sum, { acknowledged }) => sum + acknowledged, 0),
    ambiguous: counts.reduce((sum, { ambiguous }) => sum + ambiguous, 0),
    writes: run.ledger.counts,
    checks: run.checks,
    faults: run.checks.reduce((sum, { faults }) => sum + faults, 0),
  };
}
