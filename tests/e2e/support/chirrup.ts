import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import type { Readable } from "node:stream";
import { fileURLToPath } from "node:url";

const bin = fileURLToPath(new URL("../../../apps/cli/bin/chirrup.js", import.meta.url));

export interface CommandResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Starts the command as a person would, on a home of its own; `detached`: as the first of a group of processes. */
function start(
  home: string,
  args: readonly string[],
  detached: boolean,
): ChildProcessByStdio<null, Readable, Readable> {
  const env: NodeJS.ProcessEnv = { ...process.env, CHIRRUP_HOME: home, NO_COLOR: "1" };
  // Set by vitest; the platform is no test.
  delete env["NODE_ENV"];
  delete env["VITEST"];
  delete env["NODE_OPTIONS"];
  return spawn(process.execPath, [bin, ...args], { env, detached, stdio: ["ignore", "pipe", "pipe"] });
}

/** Runs the command to its end. */
export async function chirrup(home: string, ...args: readonly string[]): Promise<CommandResult> {
  const child = start(home, args, false);
  let stdout = "";
  let stderr = "";
  child.stdout.on("data", (data: Buffer) => (stdout += data.toString("utf8")));
  child.stderr.on("data", (data: Buffer) => (stderr += data.toString("utf8")));
  // Not "close": a detached launcher must not keep the caller waiting.
  const code = await new Promise<number>((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (exitCode) => resolve(exitCode ?? 1));
  });
  await new Promise((resolve) => setImmediate(resolve));
  return { code, stdout, stderr };
}

/** Runs the command until something has happened, and kills it and all that it has started. */
export async function killedChirrup(
  home: string,
  args: readonly string[],
  until: () => Promise<unknown>,
): Promise<void> {
  const child = start(home, args, true);
  const ended = once(child, "exit");
  try {
    await Promise.race([until(), ended]);
    if (child.exitCode !== null) throw new Error("it had ended before it was killed");
  } finally {
    if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, "SIGKILL");
    await ended;
  }
}

export interface PartStatus {
  readonly name: string;
  readonly pid: number | null;
  readonly url: string;
  readonly state: string;
}

export interface PlatformStatus {
  readonly ready: boolean;
  readonly profile?: string;
  readonly gatewayUrl?: string;
  readonly parts?: readonly PartStatus[];
}

export async function statusOf(home: string): Promise<PlatformStatus> {
  const { stdout } = await chirrup(home, "status", "--json");
  return JSON.parse(stdout) as PlatformStatus;
}

export async function pidOf(home: string, part: string): Promise<number> {
  const pid = (await statusOf(home)).parts?.find(({ name }) => name === part)?.pid;
  if (pid === undefined || pid === null) throw new Error(`${part} does not run`);
  return pid;
}
