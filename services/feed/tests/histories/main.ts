/**
 * Plays random histories on all cores, and ends with what came of it in one line; exit code 1 when one does not hold.
 *
 *     npm run histories -w services/feed -- [--histories 100000] [--seed N] [--from-part N] [--part N]
 *
 * They are played in parts of 200. The same seed and number of a part give the same histories, so a run can be gone on
 * with, on another machine too.
 */
import { fork } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { freePort, startRedis } from "@chirrup/servers";
import type { Part, Report } from "./worker.ts";

const { values } = parseArgs({
  options: {
    /** How many. */
    histories: { type: "string", default: "100000" },
    /** The same number gives the same ones. Default: drawn. */
    seed: { type: "string", default: String(Math.floor(Math.random() * 2 ** 31)) },
    /** Leaves out the parts before this one. */
    "from-part": { type: "string", default: "0" },
    /** Plays this part alone. */
    part: { type: "string" },
    /** Default: one for each core. */
    processes: { type: "string", default: String(availableParallelism()) },
    /** Says of the first history that does not hold only that there is one. */
    "no-shrink": { type: "boolean", default: false },
  },
});

const partSize = 200;
/** Histories that a process plays at once, so that none waits while another's Redis answers. */
const databases = 6;
const saysSoEveryMs = 10_000;

const seed = Number(values.seed);
const wanted = Number(values.histories);
const allParts = Array.from({ length: Math.ceil(wanted / partSize) }, (_, number) => number);
const waiting =
  values.part === undefined ? allParts.slice(Number(values["from-part"])) : [Number(values.part)];
const underWay = new Set<number>();
const startedMs = performance.now();
let played = 0;
let fault: { readonly part: number; readonly why: string } | undefined;

const sizeOf = (part: number): number => Math.min(partSize, Math.max(1, wanted - part * partSize));
/** Far from those of the parts beside it. */
const seedOf = (part: number): number => (seed + Math.imul(part, 0x9e37_79b9)) | 0;
const seconds = (): number => (performance.now() - startedMs) / 1_000;

const folder = mkdtempSync(join(tmpdir(), "chirrup-histories-"));
const pids = new Set<number>();
// Who ends this program ends what it has started.
process.once("exit", () => {
  for (const pid of pids) process.kill(pid);
  rmSync(folder, { recursive: true, force: true });
});
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(1));

const total = waiting.reduce((sum, part) => sum + sizeOf(part), 0);
process.stderr.write(`${total} histories, seed ${seed}\n`);
const progress = setInterval(() => {
  const first = Math.min(...underWay, ...waiting);
  const rate = (played / seconds()).toFixed(1);
  process.stderr.write(`${played} histories, ${rate} a second; all parts before ${first} are done\n`);
}, saysSoEveryMs);
await Promise.all(Array.from({ length: Number(values.processes) }, (_, index) => playParts(index)));
clearInterval(progress);

if (fault !== undefined) {
  const { part, why } = fault;
  process.stdout.write(`${why}\nThe same part again: --histories ${wanted} --seed ${seed} --part ${part}\n`);
  process.exitCode = 1;
}
const faults = fault === undefined ? "0 faults" : "1 fault";
process.stdout.write(`${played} histories, ${faults}, ${Math.round(seconds())} s\n`);

/** A process that plays parts until none is left, or one does not hold. */
async function playParts(index: number): Promise<void> {
  const dataDir = join(folder, String(index));
  const redis = await startRedis({ dataDir, port: await freePort(), logFile: join(dataDir, "log") });
  pids.add(redis.pid);
  // A history makes much that lives for one page: fewer and larger collections, and none on other cores.
  const execArgv = [...process.execArgv, "--max-semi-space-size=64", "--single-threaded-gc"];
  const worker = fork(new URL("worker.ts", import.meta.url), [redis.url], { execArgv });
  const workerPid = worker.pid ?? 0;
  if (workerPid > 0) pids.add(workerPid);
  const partOf = new Map<number, number>();
  const over = Promise.withResolvers<void>();

  function next(database: number): void {
    const number = fault === undefined ? waiting.shift() : undefined;
    if (number === undefined) {
      if (partOf.size === 0) over.resolve();
      return;
    }
    partOf.set(database, number);
    underWay.add(number);
    worker.send({
      number,
      database,
      histories: sizeOf(number),
      seed: seedOf(number),
      shrinks: !values["no-shrink"],
    } satisfies Part);
  }

  worker.on("message", (report: Report) => {
    if (report.is === "played") {
      played += 1;
      return;
    }
    const part = partOf.get(report.database) ?? 0;
    partOf.delete(report.database);
    underWay.delete(part);
    if (report.is === "fault") {
      fault ??= { part, why: report.why };
      // The others find no smaller one.
      over.resolve();
    } else {
      next(report.database);
    }
  });
  worker.once("exit", (code) => {
    pids.delete(workerPid);
    fault ??= { part: Math.min(...partOf.values()), why: `a process ended with ${code}` };
    over.resolve();
  });
  for (let database = 0; database < databases; database++) next(database);
  await over.promise;
  worker.removeAllListeners("exit");
  worker.kill();
  pids.delete(workerPid);
  await redis.stop();
  pids.delete(redis.pid);
}
