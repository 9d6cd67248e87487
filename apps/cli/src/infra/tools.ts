import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { ToolMissing } from "./check.ts";

/**
 * Where the tools and what is made from them are kept, for all checkouts of this user; safe to delete. Outside the
 * repository, so that a fresh clone on a machine that has been used finds them.
 */
export const toolFolder: string = join(
  process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"),
  "chirrup",
  "tools",
);

export interface Ran {
  readonly ok: boolean;
  readonly stdout: string;
  /** Both streams, for a person. */
  readonly output: string;
}

export interface RunOptions {
  readonly cwd?: string;
  readonly input?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** When it is ended if it has not ended by itself. Default: never. */
  readonly timeoutMs?: number;
}

/** Runs a program to its end. Throws ToolMissing when there is no such program. */
export function run(program: string, args: readonly string[], options: RunOptions = {}): Ran {
  const result = spawnSync(program, args, {
    encoding: "utf8",
    maxBuffer: 256 * 1024 * 1024,
    stdio: [options.input === undefined ? "ignore" : "pipe", "pipe", "pipe"],
    ...options,
    ...(options.timeoutMs === undefined ? {} : { timeout: options.timeoutMs }),
    env: { ...process.env, ...options.env },
  });
  if (result.error !== undefined && "code" in result.error && result.error.code === "ENOENT") {
    throw new ToolMissing(`${program} is not installed`);
  }
  return {
    ok: result.status === 0,
    stdout: result.stdout,
    output: `${result.stdout}${result.stderr}`.trim(),
  };
}

function must(what: string, program: string, args: readonly string[], options?: RunOptions): void {
  const { ok, output } = run(program, args, options);
  if (!ok) throw new ToolMissing(`${what} cannot be installed: ${output.slice(-600)}`);
}

/** The program of a Go module at exactly this version, built once from the Go module proxy. */
export function goTool(name: string, importPath: string, version: string): string {
  const folder = join(toolFolder, `${name}-${version}`);
  const program = join(folder, name);
  if (!existsSync(program)) {
    say(`building ${name} ${version} …`);
    must(name, "go", ["install", `${importPath}@${version}`], { env: { GOBIN: folder, GOFLAGS: "" } });
  }
  return program;
}

/**
 * A program of a Go module that `go install` refuses because its go.mod replaces modules: built from a module of
 * its own with the same replacements.
 */
export function goToolOf(name: string, packagePath: string, version: string, goMod: string): string {
  const folder = join(toolFolder, `${name}-${version}`);
  const program = join(folder, name);
  if (!existsSync(program)) {
    say(`building ${name} ${version}; this takes minutes …`);
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, "go.mod"), goMod);
    const env = { GOFLAGS: "-mod=mod" };
    must(name, "go", ["get", `${packagePath}@${version}`], { cwd: folder, env });
    must(name, "go", ["build", "-o", `${name}.new`, packagePath], { cwd: folder, env });
    renameSync(join(folder, `${name}.new`), program);
  }
  return program;
}

/** The folder of a Go module's files at this version. */
export function goModule(path: string, version: string): string {
  const { ok, stdout, output } = run("go", ["mod", "download", "-json", `${path}@${version}`], {
    env: { GOFLAGS: "-mod=mod" },
  });
  const { Dir } = (ok ? JSON.parse(stdout) : {}) as { Dir?: string };
  if (Dir === undefined) throw new ToolMissing(`${path} ${version} cannot be had: ${output.slice(-300)}`);
  return Dir;
}

/** A program of a Python package at exactly this version, in a virtual environment of its own. */
export function pythonTool(name: string, packageName: string, version: string): string {
  const folder = join(toolFolder, `${packageName}-${version}`);
  const done = join(folder, ".installed");
  if (!existsSync(done)) {
    say(`installing ${packageName} ${version} …`);
    rmSync(folder, { recursive: true, force: true });
    must(name, "python3", ["-m", "venv", folder]);
    must(name, join(folder, "bin", "pip"), ["install", "--quiet", `${packageName}==${version}`]);
    writeFileSync(done, "");
  }
  return join(folder, "bin", name);
}

function say(text: string): void {
  process.stderr.write(`chirrup: ${text}\n`);
}
