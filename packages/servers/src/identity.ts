import { execFileSync } from "node:child_process";
import { chownSync, existsSync, lstatSync, readdirSync, statSync } from "node:fs";
import { dirname, join } from "node:path";

/** How to run a program that refuses to run as root. */
export interface Identity {
  readonly uid?: number;
  readonly gid?: number;
  /** Put before the command: keeps one capability where the program lies in a closed directory. */
  readonly prefix: readonly string[];
}

function idOf(flag: "-u" | "-g", user: string): number | undefined {
  try {
    return Number(
      execFileSync("id", [flag, user], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }),
    );
  } catch {
    return undefined;
  }
}

/** Whether any user may walk down to the path. */
function reachable(path: string): boolean {
  for (let current = path; current !== dirname(current); current = dirname(current)) {
    if (existsSync(current) && (statSync(current).mode & 0o001) === 0) return false;
  }
  return true;
}

function chownTree(path: string, uid: number, gid: number): void {
  const stat = lstatSync(path);
  if (stat.uid === uid && stat.gid === gid && !stat.isDirectory()) return;
  if (stat.isSymbolicLink()) return;
  if (stat.uid !== uid || stat.gid !== gid) chownSync(path, uid, gid);
  if (stat.isDirectory()) for (const name of readdirSync(path)) chownTree(join(path, name), uid, gid);
}

/**
 * The identity for a program that will not run as root: nothing special for an ordinary user; for root
 * the user `postgres` or else `nobody`, who is made the owner of `ownedDir`.
 *
 * Where root keeps the repository in a directory that is closed to others (/root), the program keeps the
 * right to pass closed directories by an ambient capability (capabilities(7)) and nothing else of root.
 */
export function runsAs(ownedDir: string, programDir: string): Identity {
  if (process.getuid?.() !== 0) return { prefix: [] };
  const user = idOf("-u", "postgres") === undefined ? "nobody" : "postgres";
  const uid = idOf("-u", user);
  const gid = idOf("-g", user);
  if (uid === undefined || gid === undefined) {
    throw new Error("Postgres does not run as root, and there is no user postgres or nobody to run it as");
  }
  chownTree(ownedDir, uid, gid);
  if (reachable(dirname(ownedDir)) && reachable(programDir)) return { uid, gid, prefix: [] };
  const capability = "+dac_override";
  return {
    prefix: [
      "setpriv",
      `--reuid=${uid}`,
      `--regid=${gid}`,
      "--clear-groups",
      `--inh-caps=-all,${capability}`,
      `--ambient-caps=-all,${capability}`,
      `--bounding-set=-all,${capability}`,
      "--",
    ],
  };
}
