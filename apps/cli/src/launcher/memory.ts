import { readdirSync, readFileSync } from "node:fs";

/** Of proc(5)'s stat, the field behind the command's name, which may hold spaces, and the state. */
function parentOf(pid: string): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
}

/** Memory of one process, its share of what it has in common with others; KiB. */
function proportionalKib(pid: number): number {
  const [, kib = "0"] = /^Pss:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, "utf8")) ?? [];
  return Number(kib);
}

/** A process that ends while it is looked at has nothing. */
function unlessGone<T>(look: () => T, gone: T): T {
  try {
    return look();
  } catch {
    return gone;
  }
}

/**
 * Memory that some processes and all that descend from them take together, in MiB. What they share is counted
 * once. Undefined where there is no procfs. Not by process group: each backend of Postgres has its own.
 */
export function memoryOfTreesMib(roots: readonly number[]): number | undefined {
  const pids = unlessGone(() => readdirSync("/proc").filter((name) => /^\d+$/.test(name)), []);
  const children = Map.groupBy(pids, (pid) => unlessGone(() => parentOf(pid), 0));
  const found = new Set(roots);
  // A set that grows while it is walked is walked to its end.
  for (const pid of found) for (const child of children.get(pid) ?? []) found.add(Number(child));
  let kib = 0;
  for (const pid of found) kib += unlessGone(() => proportionalKib(pid), 0);
  return kib === 0 ? undefined : Math.round(kib / 1024);
}
