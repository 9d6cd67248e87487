import { spawn } from "node:child_process";
import { closeSync, openSync, readFileSync } from "node:fs";

/** How a process ended: one of the two is set. */
export interface ExitInfo {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface ProcessOptions {
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
  /** Standard output and error are appended here. */
  readonly logFile: string;
  readonly uid?: number;
  readonly gid?: number;
  /** Signal of a polite stop. Default SIGTERM. */
  readonly stopSignal?: NodeJS.Signals;
  /** After this long a stop turns into SIGKILL. Default 15,000. */
  readonly killAfterMs?: number;
  /**
   * Gives the process a pipe as standard input that closes when this process ends, however it ends.
   * A service that watches it never outlives its launcher.
   */
  readonly tether?: boolean;
}

export interface RunningProcess {
  readonly pid: number;
  /** Settles when the process has ended; never rejects. */
  readonly exited: Promise<ExitInfo>;
  /** Sends the stop signal and waits; SIGKILL when it takes too long. */
  stop(): Promise<ExitInfo>;
}

/** Starts a child process with its output in a file. Rejects when the command cannot be run at all. */
export async function startProcess(options: ProcessOptions): Promise<RunningProcess> {
  const log = openSync(options.logFile, "a", 0o600);
  const child = spawn(options.command, options.args, {
    cwd: options.cwd,
    env: options.env ?? process.env,
    stdio: [options.tether === true ? "pipe" : "ignore", log, log],
    ...(options.uid === undefined ? {} : { uid: options.uid }),
    ...(options.gid === undefined ? {} : { gid: options.gid }),
    // A group of its own, so that Ctrl-C in a terminal reaches the launcher alone and the order of the
    // stop stays the launcher's.
    detached: true,
  });
  closeSync(log);
  child.stdin?.on("error", () => undefined);
  const exited = new Promise<ExitInfo>((resolve) => {
    child.once("exit", (code, signal) => resolve({ code, signal }));
  });
  await new Promise<void>((resolve, reject) => {
    child.once("spawn", resolve);
    child.once("error", reject);
  });
  child.on("error", () => undefined);
  const pid = child.pid;
  if (pid === undefined) throw new Error(`${options.command} has no process id`);

  let stopping: Promise<ExitInfo> | undefined;
  async function stop(): Promise<ExitInfo> {
    child.kill(options.stopSignal ?? "SIGTERM");
    const timer = setTimeout(() => child.kill("SIGKILL"), options.killAfterMs ?? 15_000);
    try {
      return await exited;
    } finally {
      clearTimeout(timer);
    }
  }
  return { pid, exited, stop: () => (stopping ??= stop()) };
}

/**
 * Waits until a process that was just started answers. Rejects when it ends before that; stops it and rejects
 * when it takes too long or the signal aborts.
 */
export async function untilAnswers(options: {
  readonly name: string;
  readonly running: RunningProcess;
  readonly answers: () => Promise<boolean>;
  readonly withinMs: number;
  readonly everyMs: number;
  readonly signal?: AbortSignal | undefined;
}): Promise<void> {
  const { name, running, answers, withinMs, everyMs, signal } = options;
  let ended: ExitInfo | undefined;
  void running.exited.then((info) => (ended = info));
  const until = Date.now() + withinMs;
  while (!(await answers())) {
    if (ended !== undefined) throw new Error(`${name} ended at start (${ended.code ?? ended.signal})`);
    if (signal?.aborted === true || Date.now() > until) {
      await running.stop();
      throw new Error(
        Date.now() > until ? `${name} did not answer within ${withinMs / 1000} s` : `${name} was stopped`,
      );
    }
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
}

/** Whether a process with this id exists and, when `command` is given, has it in its command line. */
export function isAlive(pid: number, command?: string): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EPERM") return false;
  }
  try {
    // A zombie answers signals but is gone.
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    if (stat.slice(stat.lastIndexOf(")") + 2).startsWith("Z")) return false;
    return command === undefined || readFileSync(`/proc/${pid}/cmdline`, "utf8").includes(command);
  } catch {
    // No procfs (macOS): the signal's answer is all there is to know.
    return true;
  }
}
