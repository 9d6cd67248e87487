/**
 * What a flood of sign-ins does to everybody else: the whole platform on this machine, calls at a steady rate through
 * the gateway, in turns with nothing else, with 500 requests a second that nothing answers, which is what the generator and
 * HTTP cost by themselves, and with 500 sign-ins a second, all from many addresses. And what it costs to read the profiles of
 * a page by primary key, beside two caches that have them all.
 *
 *     npm run bench -- accounts [--quick]
 *
 * Prints a table and writes bench/results/accounts.json. Needs Linux, for its many loopback addresses.
 */
import { fork } from "node:child_process";
import { once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import { type Figure, median, report } from "../report.ts";
import type { FloodReport, FloodTask } from "./flood.ts";
import { httpRequest, type Message, openConnection } from "./http-connection.ts";
import { type Person, populate, startPlatform } from "./platform.ts";
import { measureProfileReads, type ProfileCost, type Way, ways } from "./profile-reads.ts";
import { type Answer, steadily } from "./steadily.ts";

const quick = process.argv.includes("--quick");
const rounds = quick ? 2 : 9;
const seconds = quick ? 3 : 15;
const signInsPerS = 500;
/** So many that the delays after wrong guesses from one address do not turn the flood away. */
const addresses = 250;

interface Route {
  readonly name: string;
  readonly perS: number;
  readonly message: (reader: Person) => Message;
}

const routes: readonly Route[] = [
  { name: "me", perS: 50, message: ({ token }) => ({ method: "GET", path: "/api/v1/me", token }) },
  {
    name: "user",
    perS: 50,
    message: ({ id, token }) => ({ method: "GET", path: `/api/v1/users/${id}`, token }),
  },
  { name: "feed", perS: 40, message: ({ token }) => ({ method: "GET", path: "/api/v1/feed", token }) },
  {
    name: "post",
    perS: 10,
    message: ({ token }) => ({ method: "POST", path: "/api/v1/posts", token, body: { content: "a post" } }),
  },
];

type Times = Readonly<Record<string, readonly number[]>>;

/** Every route at its rate; how long each call took, in ms, by the route's name. */
async function readOthers(port: number, reader: Person): Promise<Times> {
  const untilMs = performance.now() + seconds * 1_000;
  const measured = await Promise.all(
    routes.map(async ({ name, perS, message }): Promise<[string, number[]]> => {
      const connections = await Promise.all(
        Array.from({ length: 6 }, () => openConnection(port, "127.0.0.1")),
      );
      const request = httpRequest(message(reader));
      const answers = await steadily({ perS, untilMs, connections, next: () => request });
      for (const connection of connections) connection.close();
      return [name, timesOf(name, answers)];
    }),
  );
  return Object.fromEntries([...measured, ["all", measured.flatMap(([, times]) => times)]]);
}

function timesOf(name: string, answers: readonly Answer[]): number[] {
  const other = answers.find(({ status }) => status !== 200);
  if (other !== undefined) throw new Error(`${name} answered ${other.status}`);
  return answers.map(({ ms }) => ms);
}

async function flooding(task: FloodTask): Promise<FloodReport> {
  const child = fork(new URL("flood.ts", import.meta.url), {
    execArgv: ["--conditions=source", "--disable-warning=ExperimentalWarning"],
  });
  child.send(task);
  const [answer] = (await once(child, "message")) as [FloodReport];
  return answer;
}

function percentile(times: readonly number[], share: number): number {
  return times.toSorted((a, b) => a - b)[Math.floor(times.length * share)] ?? Number.NaN;
}

const progress = (text: string): boolean => process.stderr.write(`${text}\n`);

using platform = startPlatform();
const { port } = platform;
const people = await populate(port, 20);
const [reader, ...others] = people;
if (reader === undefined) throw new Error("nobody is there");
// The costliest there are: every second one is right and opens a session, every other is a login that nobody has.
const signIns = Array.from({ length: 2_000 }, (_, index) => {
  const { login, password } = others[index % others.length] ?? reader;
  return index % 2 === 0 ? { login, password } : { login: `nobody_${index}`, password };
});

/** The others' calls while requests for the path come at their rate. */
async function readInFlood(path: string, reader: Person): Promise<{ times: Times; flood: FloodReport }> {
  const flood = flooding({ port, perS: signInsPerS, seconds: seconds + 2, addresses, path, signIns });
  // The flood is at its height when the reads begin.
  await delay(1_500);
  const times = await readOthers(port, reader);
  const report = await flood;
  // What waited in the line is done before the next calls.
  await delay(1_500);
  return { times, flood: report };
}

const idle: Times[] = [];
const unanswered: Times[] = [];
const flooded: Times[] = [];
const floods: FloodReport[] = [];
for (let round = 0; round <= rounds; round++) {
  const calm = await readOthers(port, reader);
  const beside = await readInFlood("/api/v1/nothing", reader);
  const { times: busy, flood } = await readInFlood("/api/v1/login", reader);
  const p99 = (times: Times): string => percentile(times["all"] ?? [], 0.99).toFixed(1);
  progress(
    `p99 ${p99(calm)} ms idle, ${p99(beside.times)} ms beside ${JSON.stringify(beside.flood.statuses)}, ` +
      `${p99(busy)} ms in the flood: ${JSON.stringify(flood.statuses)}, ` +
      `whose generator took ${(flood.cpuShare * 100).toFixed(0)} % of a core`,
  );
  // The first round only warms up.
  if (round === 0) continue;
  idle.push(calm);
  unanswered.push(beside.times);
  flooded.push(busy);
  floods.push(flood);
}

function latency(name: string, runs: readonly Times[], route: string, share: number, aim = ""): Figure {
  const of = (each: readonly Times[]): number =>
    median(each.map((times) => percentile(times[route] ?? [], share)));
  const [value, peerValue] = [of(runs), of(idle)];
  return { name, value, unit: "ms", peer: "idle", peerValue, ratio: value / peerValue, aim };
}

function ofFlood(name: string, unit: string, measure: (flood: FloodReport) => number, of: number): Figure {
  const value = median(floods.map(measure));
  return { name, value, unit, peer: "sent", peerValue: of, ratio: value / of, aim: "" };
}

const profiles = await measureProfileReads(quick ? 3 : 7, quick ? 1_000 : 5_000);
const caches: readonly Way[] = ways.filter((way) => way !== "postgres");

function profileCost(name: string, peer: Way, part: keyof ProfileCost): Figure {
  const [value, peerValue] = [profiles.postgres[part], profiles[peer][part]];
  return { name, value, unit: "µs", peer, peerValue, ratio: value / peerValue, aim: "" };
}

const perS = (flood: FloodReport, status: number): number => (flood.statuses[status] ?? 0) / (seconds + 2);
report("accounts", [
  latency("flood_p99_ms", flooded, "all", 0.99, "at most 2"),
  latency("unanswered_p99_ms", unanswered, "all", 0.99),
  ...routes.flatMap(({ name }) => [
    latency(`flood_p99_ms_${name}`, flooded, name, 0.99, "at most 2"),
    latency(`flood_p50_ms_${name}`, flooded, name, 0.5),
    latency(`unanswered_p99_ms_${name}`, unanswered, name, 0.99),
  ]),
  ...caches.map((way) => profileCost("profile_cpu_us", way, "readerUs")),
  profileCost("profile_server_cpu_us", "redis-mget", "serverUs"),
  ofFlood("flood_signed_in_per_s", "/s", (flood) => perS(flood, 200), signInsPerS),
  ofFlood("flood_refused_per_s", "/s", (flood) => perS(flood, 401), signInsPerS),
  ofFlood("flood_shed_per_s", "/s", (flood) => perS(flood, 429), signInsPerS),
  {
    name: "flood_generator_cpu",
    value: median(floods.map(({ cpuShare }) => cpuShare)),
    unit: "cores",
    peer: "machine",
    peerValue: navigator.hardwareConcurrency,
    ratio: median(floods.map(({ cpuShare }) => cpuShare)) / navigator.hardwareConcurrency,
    aim: "",
  },
]);
