import { checks, type Counts, format, runCheck, runTests } from "../tasks/tasks.ts";

function closingLine({ passed, failed }: Counts): void {
  // The plain form that CI reads.
  process.stdout.write(`\n${passed} passed, ${failed} failed\n`);
  if (failed > 0) process.exitCode = 1;
}

function runChecks(): Counts {
  const results = checks.map((check) => runCheck(check));
  return { passed: results.filter(Boolean).length, failed: results.filter((ok) => !ok).length };
}

/** The developer's tasks behind `npm test`, `npm run check` and `npm run format`. */
export async function run(task: string, args: readonly string[]): Promise<void> {
  switch (task) {
    case "test":
      return closingLine(await runTests(args));
    case "check":
      return closingLine(runChecks());
    case "format":
      return format();
    default:
      throw new Error(`there is no task "${task}"; there are: test, check, format`);
  }
}
