import { readdirSync, readFileSync } from "node:fs";

/** A part of the platform: a process with all that it has started. */
export interface Part {
  readonly name: string;
  readonly pid: number;
}

/** CPU time by part, in microseconds. */
export type CpuTimes = Readonly<Record<string, number>>;

/**
 * What the parts have used since they were started: their threads, and those of the processes below them, also of those
 * that have ended, as Postgres's do with their connections.
 */
export function cpuTimes(parts: readonly Part[]): CpuTimes {
  const all = processes();
  const below = Map.groupBy(all.values(), ({ parent }) => parent);
  const treeUs = (pid: number): number =>
    ownUs(pid) +
    (all.get(pid)?.endedUs ?? 0) +
    (below.get(pid) ?? []).reduce((sum, child) => sum + treeUs(child.pid), 0);
  return Object.fromEntries(parts.map(({ name, pid }) => [name, treeUs(pid)]));
}

/** What was used between two looks, for each of so many requests; and `all`, the sum. */
export function perRequest(before: CpuTimes, after: CpuTimes, requests: number): CpuTimes {
  const used = Object.keys(after).map((name): [string, number] => [
    name,
    ((after[name] ?? 0) - (before[name] ?? 0)) / requests,
  ]);
  return { ...Object.fromEntries(used), all: used.reduce((sum, [, us]) => sum + us, 0) };
}

interface Process {
  readonly pid: number;
  readonly parent: number;
  /** CPU time of those below it that have ended and were waited for. */
  readonly endedUs: number;
}

/** proc(5), stat: times in ticks of a hundredth of a second. */
const tickUs = 10_000;

function processes(): Map<number, Process> {
  const found = new Map<number, Process>();
  for (const name of readdirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const stat = readFileSync(`/proc/${name}/stat`, "latin1");
      // The name of the program is in brackets, and may hold anything.
      const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      const [parent, endedUser, endedSystem] = [fields[1], fields[13], fields[14]].map(Number);
      const pid = Number(name);
      found.set(pid, { pid, parent: parent ?? 0, endedUs: ((endedUser ?? 0) + (endedSystem ?? 0)) * tickUs });
    } catch {
      // It has ended meanwhile.
    }
  }
  return found;
}

/** proc(5), schedstat: nanoseconds that a thread has run. */
function ownUs(pid: number): number {
  try {
    return readdirSync(`/proc/${pid}/task`).reduce((sum, thread) => {
      const [ran = "0"] = readFileSync(`/proc/${pid}/task/${thread}/schedstat`, "latin1").split(" ");
      return sum + Number(ran) / 1_000;
    }, 0);
  } catch {
    return 0;
  }
}
