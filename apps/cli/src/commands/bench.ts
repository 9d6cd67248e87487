import { spawnSync } from "node:child_process";
import { existsSync, globSync } from "node:fs";
import { basename, dirname, join } from "node:path";

import { repositoryRoot } from "../launcher/paths.ts";

/** Runs `bench/<name>/main.ts` under this Node, with the arguments behind the name. */
export function bench(name: string, args: readonly string[]): void {
  const main = join(repositoryRoot, "bench", basename(name), "main.ts");
  if (!existsSync(main)) {
    const known = globSync("bench/*/main.ts", { cwd: repositoryRoot }).map((file) => basename(dirname(file)));
    throw new Error(`there is no bench "${name}"; there are: ${known.toSorted().join(", ")}`);
  }
  const { status } = spawnSync(process.execPath, ["--conditions=source", main, ...args], {
    cwd: repositoryRoot,
    stdio: "inherit",
  });
  if (status !== 0) process.exitCode = 1;
}
