/**
 * What home feeds cost, through the gateway over HTTP, on an embedded platform that it starts:
 *
 *     npm run bench -- feed [--quick] [--graph <socfb-Reed98.edges>]
 *
 * Prints tables and writes bench/results/feed.json and bench/feed/page-cost.svg.
 */
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { powerLawGraph } from "../../apps/cli/src/seed/bulk/power-law.ts";
import { parseGraph } from "../../apps/cli/src/seed/graph.ts";
import { type Figure, report } from "../report.ts";
import { cpuTimes, type CpuTimes, perRequest } from "./cpu.ts";
import { numbered } from "./graph.ts";
import { type Answers, closedLoop, kinds, openLoop, percentile } from "./load.ts";
import { drawRequests } from "./mix.ts";
import { pageCosts } from "./page-cost.ts";
import { setStage, type Stage } from "./stage.ts";

const { values } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    /** An edge list, taken both ways. Without it, a power-law graph of the same size as Reed98. */
    graph: { type: "string" },
    /** Only the mix, or only the pages. */
    only: { type: "string" },
  },
});
const { quick } = values;
const connections = 32;
const readers = quick ? 24 : 200;
const requests = quick ? 4_000 : 20_000;
/** Until a JIT has compiled what is hot in all the processes: before that a request takes twice as much. */
const warmUpRequests = 20_000;
const rounds = quick ? 1 : 3;
const postsPerUser = 20;

const graph =
  values.graph === undefined
    ? powerLawGraph(962, 313, 1)
    : numbered(parseGraph(readFileSync(values.graph, "utf8"), true));
const figures: Figure[] = [];

if (values.only !== "pages") {
  await using stage = await setStage();
  await measureMix(stage);
}
if (values.only !== "mix") figures.push(...(await pageCosts(quick)));
report("feed", figures);

async function measureMix(stage: Stage): Promise<void> {
  const userIds = await stage.load(graph, graph.users * postsPerUser);
  const every = Math.max(1, Math.floor(graph.users / readers));
  const tokens = await stage.signIn(Array.from({ length: readers }, (_, index) => index * every));
  const draw = drawRequests(tokens, userIds, 7);
  const sending = { port: stage.port, connections };

  // Timelines are built, code is compiled, statements are prepared.
  await closedLoop({ ...sending, next: () => draw() }, warmUpRequests);
  for (const kind of kinds) {
    const cost = await measured(stage, () =>
      closedLoop({ ...sending, next: () => draw(kind) }, requests / 4),
    );
    printCost(kind, cost.cpu);
    addFigure(`${kind}_cpu_us`, cost.cpu["all"] ?? 0, "µs", "");
  }
  const closed: { perS: number; perCpuS: number; cpu: CpuTimes }[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const { answers, cpu } = await measured(stage, () =>
      closedLoop({ ...sending, next: () => draw() }, requests),
    );
    closed.push({ perS: answers.requests / answers.seconds, perCpuS: 1_000_000 / (cpu["all"] ?? 1), cpu });
  }
  const middle = closed.toSorted((a, b) => a.perCpuS - b.perCpuS)[Math.floor(rounds / 2)];
  if (middle === undefined) throw new Error("no round was played");
  printCost("mix", middle.cpu);
  addFigure("mix_requests_per_s", middle.perS, "1/s", "");
  addFigure("mix_requests_per_cpu_s", middle.perCpuS, "1/s", "at least 3,000", 3_000);

  const half = middle.perS / 2;
  const opened = await openLoop({ ...sending, connections: 128, next: () => draw() }, half, requests);
  for (const kind of kinds) {
    for (const [name, share] of [
      ["p50", 0.5],
      ["p99", 0.99],
      ["p99_9", 0.999],
    ] as const) {
      addFigure(`${kind}_${name}_ms`, percentile(opened.tookMs[kind], share), "ms", "");
    }
  }
}

/** Runs a load, and waits for what it leaves behind: posts on their way to feeds. */
async function measured(
  { parts }: Stage,
  run: () => Promise<Answers>,
): Promise<{ answers: Answers; cpu: CpuTimes }> {
  const before = cpuTimes(parts);
  const answers = await run();
  for (let last = cpuTimes(parts), idle = false; !idle;) {
    await new Promise((resolve) => setTimeout(resolve, 500));
    const now = cpuTimes(parts);
    // Half a second of rest takes some milliseconds.
    idle = (perRequest(last, now, 1)["all"] ?? 0) < 60_000;
    last = now;
  }
  return { answers, cpu: perRequest(before, cpuTimes(parts), answers.requests) };
}

function printCost(what: string, cpu: CpuTimes): void {
  const cells = Object.entries(cpu).map(([name, us]) => `${name} ${Math.round(us)}`);
  process.stdout.write(`${what.padEnd(10)} CPU µs a request: ${cells.join(", ")}\n`);
}

/** A figure that has no peer beside it but an aim. */
function addFigure(name: string, value: number, unit: string, aim: string, peerValue = value): void {
  figures.push({
    name,
    value,
    unit,
    peer: aim === "" ? "" : "aim",
    peerValue,
    ratio: value / peerValue,
    aim,
  });
}
