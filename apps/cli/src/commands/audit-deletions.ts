import { auditDeletions } from "../audit/deletions.ts";
import { openHome } from "../launcher/paths.ts";
import { runningState } from "../launcher/status.ts";

export interface AuditDeletionsFlags {
  readonly json?: boolean;
}

/** `chirrup audit deletions`: exit code 1 while something is left of a deleted account. */
export async function auditDeletionsOf(flags: AuditDeletionsFlags): Promise<void> {
  const state = runningState(openHome());
  if (state === undefined) throw new Error("nothing runs; start the platform with: npm run up");
  const result = await auditDeletions(state.access.databases);
  if (result.unfinished > 0) process.exitCode = 1;
  if (flags.json === true) {
    process.stdout.write(`${JSON.stringify(result)}\n`);
    return;
  }
  const { deleted, unfinished, first } = result;
  process.stdout.write(`${deleted} accounts were deleted: of ${unfinished} something is left.\n`);
  if (first !== null) {
    process.stdout.write(
      `The first: user ${first.userId}, database ${first.database}, ${first.where}: ${first.rows}.\n`,
    );
  }
}
