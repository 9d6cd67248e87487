import { readdirSync, readFileSync } from "node:fs";

/** A part of the platform: a process with all that it has started. */
export interface Part {
  readonly name: string;
  readonly pid: number;
}

/** CPU time by part, in microseconds. */
export type CpuTimes = Readonly<Record<string, number>>;

/** What the parts have used since they were started: their threads, and those of the processes below them. */
export function cpuTimes(parts: readonly Part[]): CpuTimes {
  const children = childrenOf();
  const treeUs = (pid: number): number =>
    ownUs(pid) + (children.get(pid) ?? []).reduce((sum, child) => sum + treeUs(child), 0);
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

function childrenOf(): Map<number, number[]> {
  const children = new Map<number, number[]>();
  for (const name of readdirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const stat = readFileSync(`/proc/${name}/stat`, "latin1");
      const parent = Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
      children.set(parent, [...(children.get(parent) ?? []), Number(name)]);
    } catch {
      // It has ended meanwhile.
    }
  }
  return children;
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
