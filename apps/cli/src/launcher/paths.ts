import { mkdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

/** The root of the repository. */
export const repositoryRoot: string = resolve(fileURLToPath(new URL("../../../..", import.meta.url)));

/** Where one platform keeps all that it writes. */
export interface Home {
  readonly dir: string;
  readonly stateFile: string;
  readonly secretsFile: string;
  readonly launcherLog: string;
  logFile(part: string): string;
  dataDir(part: string): string;
}

/** The home named by CHIRRUP_HOME, or `.chirrup` at the root of the repository. */
export function openHome(
  dir: string = process.env["CHIRRUP_HOME"] ?? join(repositoryRoot, ".chirrup"),
): Home {
  const home = resolve(dir);
  mkdirSync(join(home, "logs"), { recursive: true, mode: 0o755 });
  mkdirSync(join(home, "data"), { recursive: true, mode: 0o755 });
  return {
    dir: home,
    stateFile: join(home, "state.json"),
    secretsFile: join(home, "secrets.json"),
    launcherLog: join(home, "logs", "launcher.log"),
    logFile: (part) => join(home, "logs", `${part}.log`),
    dataDir: (part) => join(home, "data", part),
  };
}
