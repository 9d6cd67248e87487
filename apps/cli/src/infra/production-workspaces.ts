// Runs by itself in the image's build (`node production-workspaces.ts <root> <workspace>`), before anything is
// installed: it may import nothing but Node.
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { argv } from "node:process";

interface Manifest {
  name: string;
  workspaces?: string[];
  dependencies?: Record<string, string>;
  devDependencies?: Record<string, string>;
  optionalDependencies?: Record<string, string>;
}

const read = (folder: string): Manifest =>
  JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as Manifest;
const write = (folder: string, manifest: Manifest): void =>
  writeFileSync(join(folder, "package.json"), `${JSON.stringify(manifest, null, 2)}\n`);

/** The folders of a repository's workspaces, relative to its root. */
function workspaceFolders(root: string): string[] {
  return (read(root).workspaces ?? [])
    .flatMap((pattern) =>
      pattern.endsWith("/*") && existsSync(join(root, dirname(pattern)))
        ? readdirSync(join(root, dirname(pattern))).map((name) => join(dirname(pattern), name))
        : [pattern],
    )
    .filter((folder) => existsSync(join(root, folder, "package.json")));
}

/**
 * The workspaces that run in production for one of them: itself and, through `dependencies`, those it needs.
 * Returns their folders, relative to the root, sorted.
 */
export function productionWorkspaces(root: string, workspace: string): string[] {
  const folders = new Map(
    workspaceFolders(root).map((folder) => [read(join(root, folder)).name, folder] as const),
  );
  const found = new Set<string>();
  const queue = [workspace];
  for (let folder = queue.pop(); folder !== undefined; folder = queue.pop()) {
    if (found.has(folder)) continue;
    found.add(folder);
    for (const name of Object.keys(read(join(root, folder)).dependencies ?? {})) {
      const next = folders.get(name);
      if (next !== undefined) queue.push(next);
    }
  }
  return [...found].toSorted();
}

/**
 * Cuts a copy of the repository to what one workspace runs with: other workspaces and all dependencies for
 * development go. Why: npm counts what a workspace for tests depends on among the production's, whatever is asked
 * of it, so `--omit=dev` alone puts the test runner into the image.
 */
export function cutToProduction(root: string, workspace: string): string[] {
  const kept = productionWorkspaces(root, workspace);
  for (const folder of workspaceFolders(root)) {
    if (!kept.includes(folder)) {
      rmSync(join(root, folder), { recursive: true });
      continue;
    }
    const { devDependencies: _, ...manifest } = read(join(root, folder));
    write(join(root, folder), manifest);
  }
  const { devDependencies: _dev, optionalDependencies: _tools, ...manifest } = read(root);
  write(root, { ...manifest, workspaces: kept });
  return kept;
}

if (import.meta.main) {
  const [root, workspace] = argv.slice(2);
  if (root === undefined || workspace === undefined) throw new Error("usage: <root> <workspace>");
  process.stdout.write(`${cutToProduction(root, workspace).join("\n")}\n`);
}
