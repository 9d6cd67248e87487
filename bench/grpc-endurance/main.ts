import { readFileSync } from "node:fs";

import { createClient, createHealth, openChannel, serve } from "@chirrup/grpc";
import { Health, HealthCheckResponse_ServingStatus as Serving } from "@chirrup/proto/grpc/health/v1/health";

import type { Measured, Work } from "../../packages/grpc/bench/worker.ts";
import { startNodePeer, type Worker } from "../grpc/workers.ts";
import { median, report, type Figure } from "../report.ts";

/*
 * Whether memory stays flat over ten million calls, and ten thousand streams are served at once. Memory is that of
 * whole processes, by /proc; the later rounds are compared with the earlier ones, the first quarter left out.
 */

const quick = process.argv.includes("--quick");
const rounds = 20;
const calls = (quick ? 200_000 : 10_000_000) / rounds;
const streams = 10_000;
const channels = 10;

function residentMb({ pid }: Worker): number {
  const kb = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
  return Number(kb) / 1_024;
}

async function rssOverCalls(): Promise<Figure[]> {
  const { client, server } = await startNodePeer("ours");
  const seen: { client: number; server: number }[] = [];
  const work: Work = { kind: "ask", calls, concurrency: 64, letters: 290 };
  for (let round = 1; round <= rounds; round++) {
    await client.ask<Measured>(work);
    const now = { client: residentMb(client), server: residentMb(server) };
    seen.push(now);
    process.stderr.write(
      `${(round * calls).toLocaleString("en")} calls: client ${Math.round(now.client)} MB, server ${Math.round(now.server)} MB\n`,
    );
  }
  client.stop();
  server.stop();
  const middle = (from: number, until: number, role: "client" | "server"): number =>
    median(seen.slice(from * rounds, until * rounds).map((each) => each[role]));
  return (["client", "server"] as const).map((role): Figure => {
    const [early, late] = [middle(0.25, 0.5, role), middle(0.75, 1, role)];
    return {
      name: `${role}_rss_mb_at_the_end`,
      value: late,
      unit: "MB",
      peer: "itself before",
      peerValue: early,
      ratio: late / early,
      aim: "≤ 1.1",
    };
  });
}

/** Watches health over many streams: each is told of the state, and of its change. */
async function manyStreams(): Promise<Figure> {
  const health = createHealth();
  const server = await serve({ services: [], host: "127.0.0.1", port: 0, health });
  const opened = Array.from({ length: channels }, () => openChannel(`127.0.0.1:${server.port}`));
  const told = { [Serving.SERVING]: 0, [Serving.NOT_SERVING]: 0 } as Record<Serving, number>;
  const { promise: allServing, resolve: onAllServing } = Promise.withResolvers<void>();
  const watch = async (at: number): Promise<void> => {
    const channel = opened[at % channels];
    if (channel === undefined) return;
    for await (const { status } of createClient(Health, channel).watch({})) {
      told[status]++;
      if (status === Serving.NOT_SERVING) return;
      if (told[Serving.SERVING] === streams) onAllServing();
    }
  };
  const watching = Promise.all(Array.from({ length: streams }, async (_, at) => watch(at)));
  await allServing;
  health.set("", false);
  await watching;
  for (const channel of opened) channel.close();
  await server.close(1_000);
  const served = told[Serving.NOT_SERVING];
  return {
    name: "streams_at_once",
    value: served,
    unit: "",
    peer: "opened",
    peerValue: streams,
    ratio: served / streams,
    aim: "= 1",
  };
}

report("grpc-endurance", [await manyStreams(), ...(await rssOverCalls())]);
