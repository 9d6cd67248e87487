import { cpSync, existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { repositoryRoot } from "../../launcher/paths.ts";
import { cutToProduction } from "../production-workspaces.ts";
import { run } from "../tools.ts";

/** What the Dockerfile copies of a workspace beside its manifest. */
const parts = ["dist", "lua", "migrations", "config", "data", "page", "gen/chirrup.binpb"];

/**
 * Lays out in `folder` what a service's image holds under /app, by the steps of infra/docker/Dockerfile: manifests
 * cut to production, dependencies installed by the lock, and what `tsc -b` made. Returns its size in bytes.
 */
export function layOut(service: string, folder: string): number {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const tracked = run("git", ["ls-files", "*package.json", "package-lock.json"], { cwd: repositoryRoot });
  for (const file of tracked.stdout.trim().split("\n")) {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    cpSync(join(repositoryRoot, file), join(folder, file));
  }
  const workspaces = cutToProduction(folder, join("services", service));
  const install = ["install", "--no-save", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"];
  must(run("npm", install, { cwd: folder }));
  must(run("tsc", ["-b", join("services", service)], { cwd: repositoryRoot }));
  for (const workspace of workspaces) {
    for (const part of parts) {
      const from = join(repositoryRoot, workspace, part);
      if (!existsSync(from)) continue;
      cpSync(from, join(folder, workspace, part), {
        recursive: true,
        filter: (file) => !/\.d\.ts$|\.map$|\.tsbuildinfo$/.test(file),
      });
    }
  }
  const [kib] = run("du", ["-sk", folder]).stdout.split("\t");
  return Number(kib) * 1024;
}

/** The packages that an image's dependencies hold and that only development needs. */
export function developmentPackages(folder: string): string[] {
  const { devDependencies = {} } = JSON.parse(readFileSync(join(repositoryRoot, "package.json"), "utf8")) as {
    devDependencies?: Record<string, string>;
  };
  // A package's types come along with some libraries; they are declarations and weigh little.
  return [...Object.keys(devDependencies), "@chirrup/testkit", "@chirrup/servers"].filter(
    (name) => !name.startsWith("@types/") && existsSync(join(folder, "node_modules", name)),
  );
}

function must({ ok, output }: { ok: boolean; output: string }): void {
  if (!ok) throw new Error(output);
}
