import type { Measured, Work } from "../../packages/grpc/bench/worker.ts";
import { median, report, type Figure } from "../report.ts";
import { startGoPeer, startNodePeer, type Peer } from "./workers.ts";

interface Sample extends Measured {
  readonly serverCpuUs: number;
}

const quick = process.argv.includes("--quick");
const rounds = quick ? 3 : 7;

const unary = (concurrency: number, calls: number): Extract<Work, { kind: "ask" }> => ({
  kind: "ask",
  calls: quick ? calls / 4 : calls,
  concurrency,
  letters: 290,
});

/** `operations` of a work are what its CPU time is divided by. */
const works = {
  c64: unary(64, 40_000),
  c1: unary(1, 8_000),
  c512: unary(512, 40_000),
  stream: { kind: "pour", messages: quick ? 20_000 : 100_000 },
  large: { kind: "ask", calls: quick ? 40 : 200, concurrency: 4, letters: 1_000_000 },
} as const satisfies Record<string, Work>;

type Name = keyof typeof works;

async function sample({ client, server }: Peer, work: Work): Promise<Sample> {
  const before = await server.ask<number>({});
  const measured = await client.ask<Measured>(work);
  return { ...measured, serverCpuUs: (await server.ask<number>({})) - before };
}

type Samples = Record<Name, Sample[]>;

const goPeer = await startGoPeer();
const peers = [await startNodePeer("ours"), await startNodePeer("grpc-js")];
if (goPeer !== undefined) peers.push(goPeer);
const samples = peers.map((): Samples => ({ c64: [], c1: [], c512: [], stream: [], large: [] }));
try {
  for (let round = -1; round < rounds; round++) {
    for (const name of Object.keys(works) as Name[]) {
      // In turns, so that what else the machine does befalls all.
      for (const [at, peer] of peers.entries()) {
        const taken = await sample(peer, works[name]);
        // The first round is for the compiler.
        if (round >= 0) samples[at]?.[name].push(taken);
      }
    }
    process.stderr.write(round < 0 ? "warmed up\n" : `round ${round + 1} of ${rounds}\n`);
  }
} finally {
  for (const { client, server } of peers) {
    client.stop();
    server.stop();
  }
}

const [ours, grpcJs, grpcGo] = samples as [Samples, Samples, Samples | undefined];

/** What the ratios of a figure should be; "" for no aim. */
interface Aims {
  readonly js?: string;
  readonly go?: string;
}

/** A row for each peer. */
function figures(
  name: string,
  unit: string,
  aims: Aims,
  of: Name,
  value: (taken: Sample) => number,
): Figure[] {
  const mine = median(ours[of].map(value));
  const row = (peer: string, theirs: Samples, suffix: string, aim = ""): Figure => {
    const peerValue = median(theirs[of].map(value));
    return { name: `${name}${suffix}`, value: mine, unit, peer, peerValue, ratio: mine / peerValue, aim };
  };
  const rows = [row("grpc-js", grpcJs, "", aims.js)];
  if (grpcGo !== undefined) rows.push(row("grpc-go", grpcGo, "_vs_go", aims.go));
  return rows;
}

function unaryFigures(of: "c64" | "c1" | "c512"): Figure[] {
  const suffix = of === "c64" ? "" : `_${of}`;
  const { calls } = works[of];
  const cpuAim = (js: string): Aims => (of === "c64" ? { js, go: "< 1" } : {});
  return [
    ...figures(`unary_client_cpu_us${suffix}`, "µs", cpuAim("≤ 0.1"), of, ({ cpuUs }) => cpuUs / calls),
    ...figures(
      `unary_server_cpu_us${suffix}`,
      "µs",
      cpuAim("≤ 0.125"),
      of,
      ({ serverCpuUs }) => serverCpuUs / calls,
    ),
    ...figures(`unary_p99_ms${suffix}`, "ms", { js: "< 1" }, of, ({ p99Ms }) => p99Ms),
  ];
}

const perSecond = (count: number, { ms }: Sample): number => (count * 1_000) / ms;

report("grpc", [
  ...unaryFigures("c64"),
  ...figures("stream_messages_per_s", "1/s", { js: "≥ 2" }, "stream", (taken) =>
    perSecond(works.stream.messages, taken),
  ),
  ...figures("large_mb_per_s", "MB/s", { js: "≥ 2" }, "large", (taken) =>
    perSecond(works.large.calls, taken),
  ),
  ...unaryFigures("c1"),
  ...unaryFigures("c512"),
]);
