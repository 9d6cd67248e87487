import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import type { Home } from "./paths.ts";

/** What a part is doing. */
export type PartState = "waiting" | "starting" | "ready" | "restarting" | "stopping" | "stopped" | "failed";

/** A process, told apart from a later one that the system gave the same id. */
export interface ProcessMark {
  readonly pid: number;
  /** Clock ticks after boot (proc(5), field 22); empty where there is no procfs. */
  readonly startedAt: string;
}

export interface PartRecord {
  readonly name: string;
  readonly process: ProcessMark | undefined;
  readonly url: string;
  /** Answers 200 when the part is ready; absent for servers that are ready once they run. */
  readonly readyUrl: string | undefined;
  readonly state: PartState;
}

/** How to get at what is not public. */
export interface Access {
  readonly databases: Readonly<Record<"user" | "follow" | "post", string>>;
  readonly redisUrl: string;
  readonly eventLogUrl: string;
  readonly feedAddress: string;
  readonly peerSecret: string;
  /** Kafka Connect, and the role by which it reads each outbox; only in the full profile. */
  readonly connect?: {
    readonly url: string;
    readonly readers: Readonly<Record<"user" | "follow" | "post", string>>;
  };
}

/** What the launcher writes for the commands in other shells. */
export interface State {
  readonly launcher: ProcessMark;
  readonly profile: string;
  readonly gatewayUrl: string;
  readonly ready: boolean;
  /** For `chirrup audit`, which reads databases and calls services; the file is its owner's alone. */
  readonly access: Access;
  readonly parts: readonly PartRecord[];
}

/** The mark of a running process; undefined when there is none, or only a zombie. */
export function markOf(pid: number): ProcessMark | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return fields[0] === "Z" ? undefined : { pid, startedAt: fields[19] ?? "" };
  } catch {
    if (existsSync("/proc/self/stat")) return undefined;
  }
  try {
    process.kill(pid, 0);
    return { pid, startedAt: "" };
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM" ? { pid, startedAt: "" } : undefined;
  }
}

/** Whether the very process of the mark still runs. */
export function isRunning(mark: ProcessMark | undefined): boolean {
  return mark !== undefined && markOf(mark.pid)?.startedAt === mark.startedAt;
}

/** Replaced in one step, so that a reader never sees half of it. */
export function writeState(home: Home, state: State): void {
  const next = `${home.stateFile}.${process.pid}`;
  writeFileSync(next, `${JSON.stringify(state, null, 2)}\n`, { mode: 0o600 });
  renameSync(next, home.stateFile);
}

export function readState(home: Home): State | undefined {
  try {
    return JSON.parse(readFileSync(home.stateFile, "utf8")) as State;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT" || error instanceof SyntaxError) return undefined;
    throw error;
  }
}

export function removeState(home: Home): void {
  rmSync(home.stateFile, { force: true });
}
