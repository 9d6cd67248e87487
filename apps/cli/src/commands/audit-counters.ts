import { auditCounters } from "../audit/counters.ts";
import { openHome } from "../launcher/paths.ts";
import { runningState } from "../launcher/status.ts";

export interface AuditCountersFlags {
  readonly repair?: boolean;
  readonly json?: boolean;
}

/** `chirrup audit counters`: exit code 1 when a number is not that of its rows and was not put right. */
export async function auditCountersOf(flags: AuditCountersFlags): Promise<void> {
  const state = runningState(openHome());
  if (state === undefined) throw new Error("nothing runs; start the platform with: npm run up");
  const result = await auditCounters({
    databases: state.access.databases,
    repair: flags.repair === true,
  });
  if (result.differences > result.repaired) process.exitCode = 1;
  if (flags.json === true) {
    process.stdout.write(`${JSON.stringify(result)}\n`);
    return;
  }
  const { differences, repaired, first } = result;
  process.stdout.write(`Likes, comments, followers, following: ${differences} numbers are wrong`);
  process.stdout.write(repaired > 0 ? `, ${repaired} were put right.\n` : ".\n");
  if (first !== null) {
    const what = first.counter === "likes" || first.counter === "comments" ? "post" : "user";
    process.stdout.write(
      `The first: ${first.counter} of ${what} ${first.id}: kept ${first.kept}, rows ${first.rows}.\n`,
    );
  }
}
