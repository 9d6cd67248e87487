import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

/** Runs h2spec on a server. Rejects with the names of the cases that fail. */
export async function runH2spec(program: string, port: number): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), "chirrup-h2spec-"));
  const report = join(folder, "report.xml");
  try {
    // It exits with a failure for each that it finds: the report says which.
    await promisify(execFile)(program, [
      "-h",
      "127.0.0.1",
      "-p",
      String(port),
      "-o",
      "1",
      "-j",
      report,
    ]).catch(() => {});
    return judge(readFileSync(report, "utf8"));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function judge(xml: string): string {
  const all = [
    ...xml.matchAll(/<testcase package="([^"]+)" classname="([^"]+)"[^>]*>([\s\S]*?)<\/testcase>/g),
  ];
  const failed = all.flatMap(([, section = "", name = "", body = ""]) =>
    body.includes("<failure") || body.includes("<error") ? [`${section}: ${name}`] : [],
  );
  if (failed.length > 0) throw new Error(`h2spec failed:\n  ${failed.join("\n  ")}`);
  const skipped = all.filter(([, , , body = ""]) => body.includes("<skipped")).length;
  return `${all.length} cases passed, ${skipped} of them skipped`;
}
