import { join } from "node:path";
import { audit as runAudit } from "../audit/audit.ts";
import { openHome } from "../launcher/paths.ts";
import { runningState } from "../launcher/status.ts";
import { wholeNumber } from "./whole-number.ts";

export interface AuditFlags {
  readonly sample?: string;
  readonly resume?: boolean;
  readonly repair?: boolean;
  readonly pageSize: string;
  readonly concurrency: string;
  readonly settleMs: string;
  readonly json?: boolean;
}

/** `chirrup audit`: exit code 1 when a home feed is not what the databases say it must be, and was not repaired. */
export async function audit(flags: AuditFlags): Promise<void> {
  const home = openHome();
  const state = runningState(home);
  if (state === undefined) throw new Error("nothing runs; start the platform with: npm run up");
  const { access } = state;
  const result = await runAudit({
    databases: access.databases,
    feedAddress: access.feedAddress,
    peerSecret: access.peerSecret,
    sample: flags.sample === undefined ? undefined : wholeNumber("--sample", flags.sample, 1, 100_000_000),
    progressFile: join(home.dir, "audits", "feeds.json"),
    resume: flags.resume === true,
    repair: flags.repair === true,
    pageSize: wholeNumber("--page-size", flags.pageSize, 1, 100),
    concurrency: wholeNumber("--concurrency", flags.concurrency, 1, 1_000),
    settleMs: wholeNumber("--settle-ms", flags.settleMs, 0, 600_000),
  });
  if (result.differences > result.repaired) process.exitCode = 1;
  if (flags.json === true) {
    process.stdout.write(`${JSON.stringify(result)}\n`);
    return;
  }
  process.stdout.write(
    `${result.readers} readers, ${result.pages} pages: ${result.differences} feeds differ from the truth` +
      `${result.repaired > 0 ? `, ${result.repaired} of them were put right` : ""}.\n`,
  );
  if (result.first !== null) {
    const { reader, position, expected, actual } = result.first;
    process.stdout.write(
      `The first: reader ${reader}, position ${position}: expected ${expected}, got ${actual}.\n`,
    );
  }
}
