import { paint, seconds } from "../terminal/print.ts";

/** What a check found. */
export interface Findings {
  /** How many things were looked at. */
  readonly checked: number;
  /** Of what kind they are: "objects", "modules". */
  readonly unit: string;
  /** What is wrong, one line each; none when all is well. */
  readonly faults: readonly string[];
  /** What was not looked at, and why. */
  readonly left?: readonly string[];
}

/** A program that a check cannot do without is not on this machine. */
export class ToolMissing extends Error {}

export interface InfraCheck {
  readonly name: string;
  /** Ends within seconds once its tools are there. */
  readonly quick: boolean;
  run(): Promise<Findings> | Findings;
}

export interface Tally {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  readonly checked: ReadonlyMap<string, number>;
}

/** Runs the checks one after the other and prints a line for each. With `strict`, a missing tool is a failure. */
export async function runChecks(checks: readonly InfraCheck[], strict: boolean): Promise<Tally> {
  const tally = { passed: 0, failed: 0, skipped: 0 };
  const checked = new Map<string, number>();
  for (const check of checks) {
    const startedAt = performance.now();
    const line = (mark: string, text: string): void => {
      const took = seconds(performance.now() - startedAt);
      process.stdout.write(`${mark} ${check.name.padEnd(34)} ${text.padEnd(28)} ${took}\n`);
    };
    try {
      const { checked: count, unit, faults, left = [] } = await check.run();
      checked.set(unit, (checked.get(unit) ?? 0) + count);
      tally[faults.length === 0 ? "passed" : "failed"] += 1;
      line(faults.length === 0 ? paint("green", "✓") : paint("red", "✗"), `${count} ${unit}`);
      for (const fault of faults) process.stdout.write(`    ${fault}\n`);
      for (const text of left) process.stdout.write(`    not checked: ${text}\n`);
    } catch (error) {
      const missing = error instanceof ToolMissing && !strict;
      tally[missing ? "skipped" : "failed"] += 1;
      line(missing ? paint("yellow", "-") : paint("red", "✗"), missing ? "skipped" : "could not run");
      process.stdout.write(`    ${error instanceof Error ? error.message : String(error)}\n`);
    }
  }
  return { ...tally, checked };
}
