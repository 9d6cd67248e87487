import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

/** The cases that fail here, and why that is as it should be. */
const plain = "a plain request is answered at once, and its stream is over";
const forgotten = "a client may have cancelled more streams than are remembered: the stream alone is reset";
const expectedFailures: Readonly<Record<string, string>> = {
  "generic/2: Sends a WINDOW_UPDATE frame on half-closed (remote) stream": plain,
  "generic/2: Sends a PRIORITY frame on half-closed (remote) stream": plain,
  "http2/5.1: closed: Sends a HEADERS frame": forgotten,
  "http2/5.1.1: Sends stream identifier that is numerically smaller than previous": forgotten,
  "http2/6.9: Sends a WINDOW_UPDATE frame with a flow control window increment of 0 on a stream": plain,
  "http2/6.9.1: Sends multiple WINDOW_UPDATE frames increasing the flow control window to above 2^31-1 on a stream":
    plain,
  "http2/8.1: Sends a second HEADERS frame without the END_STREAM flag": plain,
  "http2/8.1.2.1: Sends a HEADERS frame that contains a pseudo-header field as trailers": plain,
  "http2/8.1.2.6: Sends a HEADERS frame with the &#34;content-length&#34; header field which does not equal the DATA frame payload length":
    plain,
  "http2/8.1.2.6: Sends a HEADERS frame with the &#34;content-length&#34; header field which does not equal the sum of the multiple DATA frames payload length":
    plain,
};

/** Runs h2spec on a server. Rejects for a failure that is not expected, and for an expected one that passes. */
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
  const unexpected = failed.filter((each) => expectedFailures[each] === undefined);
  const fixed = Object.keys(expectedFailures).filter((each) => !failed.includes(each));
  if (unexpected.length > 0) throw new Error(`h2spec failed:\n  ${unexpected.join("\n  ")}`);
  if (fixed.length > 0) throw new Error(`h2spec passes what is listed to fail:\n  ${fixed.join("\n  ")}`);
  const skipped = all.filter(([, , , body = ""]) => body.includes("<skipped")).length;
  return `${all.length} cases, ${failed.length} failed as expected, ${skipped} skipped`;
}
