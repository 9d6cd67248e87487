export interface ReadinessReport {
  readonly ready: boolean;
  /** Each check by name: "ok", or the reason why not. */
  readonly checks: Readonly<Record<string, string>>;
}

/** Whether this process should be sent requests. */
export interface Readiness {
  /** Adds a check, or replaces the one of that name. It returns undefined when all is well, else the reason. */
  add(name: string, check: () => string | undefined): void;
  /** Sets a check that holds its answer until it is set again. */
  set(name: string, reason: string | undefined): void;
  /** Runs every check. One that throws is not ready. */
  report(): ReadinessReport;
}

export function createReadiness(): Readiness {
  const checks = new Map<string, () => string | undefined>();
  return {
    add(name, check) {
      checks.set(name, check);
    },
    set(name, reason) {
      checks.set(name, () => reason);
    },
    report() {
      const reasons = [...checks].map(([name, check]) => [name, runCheck(check)] as const);
      return {
        ready: reasons.every(([, reason]) => reason === undefined),
        checks: Object.fromEntries(reasons.map(([name, reason]) => [name, reason ?? "ok"])),
      };
    },
  };
}

function runCheck(check: () => string | undefined): string | undefined {
  try {
    return check();
  } catch {
    return "the check itself failed";
  }
}
