import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

import type { Measured, Work } from "../../packages/grpc/bench/worker.ts";
import { median, report, type Figure } from "../report.ts";

/** The packages that are compared: ours first. Each has a server and a client, in processes of their own. */
const names = ["ours", "grpc-js"] as const;

interface Peer {
  readonly client: ChildProcess;
  readonly server: ChildProcess;
}

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

async function start(name: string): Promise<Peer> {
  const file = fileURLToPath(new URL(`../../packages/grpc/bench/${name}.ts`, import.meta.url));
  const server = fork(file, ["server"]);
  const [port] = (await once(server, "message")) as [number];
  const client = fork(file, ["client", String(port)]);
  await once(client, "message");
  return { client, server };
}

async function asked<T>(child: ChildProcess, question: object): Promise<T> {
  const { promise, resolve, reject } = Promise.withResolvers<T>();
  const failed = (): void => reject(new Error("a process of the bench has ended"));
  child.once("exit", failed);
  child.once("message", (answer) => {
    child.off("exit", failed);
    resolve(answer as T);
  });
  child.send(question);
  return promise;
}

async function sample({ client, server }: Peer, work: Work): Promise<Sample> {
  const before = await asked<number>(server, {});
  const measured = await asked<Measured>(client, work);
  return { ...measured, serverCpuUs: (await asked<number>(server, {})) - before };
}

const peers = await Promise.all(names.map(start));
const samples: Record<Name, Sample[]>[] = peers.map(() => ({
  c64: [],
  c1: [],
  c512: [],
  stream: [],
  large: [],
}));
try {
  for (let round = -1; round < rounds; round++) {
    for (const name of Object.keys(works) as Name[]) {
      // In turns, so that what else the machine does befalls both.
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
    client.kill();
    server.kill();
  }
}

const [ours, theirs] = samples as [Record<Name, Sample[]>, Record<Name, Sample[]>];

function figure(name: string, unit: string, aim: string, of: Name, value: (taken: Sample) => number): Figure {
  const mine = median(ours[of].map(value));
  const peerValue = median(theirs[of].map(value));
  return { name, value: mine, unit, peer: "grpc-js", peerValue, ratio: mine / peerValue, aim };
}

function unaryFigures(of: "c64" | "c1" | "c512"): Figure[] {
  const suffix = of === "c64" ? "" : `_${of}`;
  const { calls } = works[of];
  return [
    figure(
      `unary_client_cpu_us${suffix}`,
      "µs",
      of === "c64" ? "≤ 0.1" : "",
      of,
      (taken) => taken.cpuUs / calls,
    ),
    figure(
      `unary_server_cpu_us${suffix}`,
      "µs",
      of === "c64" ? "≤ 0.125" : "",
      of,
      (taken) => taken.serverCpuUs / calls,
    ),
    figure(`unary_p99_ms${suffix}`, "ms", "< 1", of, (taken) => taken.p99Ms),
  ];
}

report("grpc", [
  ...unaryFigures("c64"),
  figure("stream_messages_per_s", "1/s", "≥ 2", "stream", ({ ms }) => (works.stream.messages * 1000) / ms),
  figure("large_mb_per_s", "MB/s", "≥ 2", "large", ({ ms }) => (works.large.calls * 1000) / ms),
  ...unaryFigures("c1"),
  ...unaryFigures("c512"),
]);
