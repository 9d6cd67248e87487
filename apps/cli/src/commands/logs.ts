import { spawn } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { dirname } from "node:path";
import { type Home, openHome } from "../launcher/paths.ts";

function partsWithLogs(home: Home): string[] {
  return readdirSync(dirname(home.logFile("any")))
    .filter((name) => name.endsWith(".log"))
    .map((name) => name.slice(0, -".log".length))
    .sort();
}

/** `chirrup logs [part]`: the end of a part's log, or of all; -f goes on with what comes. */
export async function logs(
  part: string | undefined,
  flags: { readonly follow?: boolean; readonly lines: string },
): Promise<void> {
  const home = openHome();
  const known = partsWithLogs(home);
  if (part !== undefined && !known.includes(part)) {
    throw new Error(`there is no log of "${part}"; there are: ${known.join(", ") || "none yet"}`);
  }
  const files = (part === undefined ? known : [part]).map((name) => home.logFile(name)).filter(existsSync);
  if (files.length === 0) return;
  const args = ["-n", flags.lines, ...(flags.follow === true ? ["-F"] : []), ...files];
  const child = spawn("tail", args, { stdio: "inherit" });
  await new Promise<void>((resolve, reject) => {
    child.once("exit", () => resolve());
    child.once("error", reject);
  });
}
