import { spawnSync } from "node:child_process";
import { existsSync, globSync } from "node:fs";
import { basename, dirname, join } from "node:path";

import { repositoryRoot } from "../launcher/paths.ts";

const entries = ["main.ts", "bench.ts"];

/** Runs `bench/<name>/main.ts`, or `bench.ts` there, under this Node, with the arguments behind the name. */
export function bench(name: string, args: readonly string[]): void {
  const folder = join(repositoryRoot, "bench", basename(name));
  const main = entries.map((entry) => join(folder, entry)).find((file) => existsSync(file));
  if (main === undefined) {
    const files = globSync("bench/*/{main,bench}.ts", { cwd: repositoryRoot });
    const known = files.map((file) => basename(dirname(file)));
    throw new Error(`there is no bench "${name}"; there are: ${known.toSorted().join(", ")}`);
  }
  const { status } = spawnSync(process.execPath, ["--conditions=source", main, ...args], {
    cwd: repositoryRoot,
    stdio: "inherit",
  });
  if (status !== 0) process.exitCode = 1;
}
