import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { repositoryRoot } from "../launcher/paths.ts";
import { ensureRedisProgram } from "../launcher/redis-program.ts";
import { paint, seconds } from "../terminal/print.ts";

export interface Counts {
  readonly passed: number;
  readonly failed: number;
}

/** One static check: a command that succeeds when all is well. */
export interface Check {
  readonly name: string;
  readonly command: readonly [string, ...string[]];
  readonly cwd?: string;
}

const proto = join(repositoryRoot, "proto");

export const checks: readonly Check[] = [
  { name: "format", command: ["oxfmt", "--check"] },
  { name: "types", command: ["tsc", "-b"] },
  { name: "lint", command: ["oxlint", "--type-aware", "--deny-warnings"] },
  { name: "dead code", command: ["knip"] },
  { name: "proto lint", command: ["buf", "lint"], cwd: proto },
  {
    name: "proto format",
    command: ["buf", "format", "--path", "chirrup", "--diff", "--exit-code"],
    cwd: proto,
  },
  {
    name: "proto breaking changes",
    command: ["buf", "breaking", "--against", "contract.binpb", "--path", "chirrup", "--exclude-imports"],
    cwd: proto,
  },
];

/** Runs a check and prints a line; what the tool says is shown only when it fails. */
export function runCheck({ name, command: [program, ...args], cwd = repositoryRoot }: Check): boolean {
  const startedAt = performance.now();
  const result = spawnSync(program, args, { cwd, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
  const ok = result.status === 0;
  const mark = ok ? paint("green", "✓") : paint("red", "✗");
  process.stdout.write(`${mark} ${name.padEnd(24)} ${seconds(performance.now() - startedAt)}\n`);
  if (!ok) process.stdout.write(`${result.stdout}${result.stderr}${result.error?.message ?? ""}\n`);
  return ok;
}

interface VitestReport {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numFailedTestSuites: number;
}

/**
 * Runs the tests (all, or those that `args` choose) on real servers of their own. A suite that cannot be
 * loaded counts as one failure, as it holds tests that did not run.
 */
export async function runTests(args: readonly string[]): Promise<Counts> {
  ensureRedisProgram((text) => process.stdout.write(`${text}\n`));
  const folder = mkdtempSync(join(tmpdir(), "chirrup-tests-"));
  const report = join(folder, "report.json");
  try {
    const child = spawn(
      "vitest",
      ["run", "--reporter=default", "--reporter=json", `--outputFile.json=${report}`, ...args],
      { cwd: repositoryRoot, stdio: ["ignore", "inherit", "inherit"] },
    );
    const code = await new Promise<number>((resolve, reject) => {
      child.once("error", reject);
      child.once("exit", (exitCode) => resolve(exitCode ?? 1));
    });
    const counts = readReport(report);
    // Vitest also fails for errors outside of any test.
    return code !== 0 && counts.failed === 0 ? { ...counts, failed: 1 } : counts;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function readReport(file: string): Counts {
  let report: VitestReport;
  try {
    report = JSON.parse(readFileSync(file, "utf8")) as VitestReport;
  } catch {
    return { passed: 0, failed: 1 };
  }
  return {
    passed: report.numPassedTests,
    failed: report.numFailedTests === 0 ? report.numFailedTestSuites : report.numFailedTests,
  };
}

/** Rewrites what the formatters would complain about. */
export function format(): void {
  for (const [program, cwd, ...args] of [
    ["oxfmt", repositoryRoot],
    ["buf", proto, "format", "--path", "chirrup", "-w"],
  ] as const) {
    const { status } = spawnSync(program, args, { cwd, stdio: "inherit" });
    if (status !== 0) process.exitCode = 1;
  }
}
