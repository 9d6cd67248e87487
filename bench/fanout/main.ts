/**
 * What a delivery costs: one post, put into the home timeline of each follower. This project's fan-out beside the shapes
 * that others use, in turns in one run, on a Redis of its own and on a cluster of three:
 *
 *     npm run bench -- fanout [--quick] [--rounds <count>]
 *
 * Prints a table and writes bench/results/fanout.json. Needs a redis-server and redis-benchmark (redis-tools).
 */
import { parseArgs } from "node:util";
import { openRedis, openRedisPipeline } from "@chirrup/platform";
import { type Figure, median, report } from "../report.ts";
import { fillOwn, fillPeer, followersOf } from "./fill.ts";
import { measure, measureCeiling, medianOf, type Sample } from "./rounds.ts";
import { createOwnShape, createPeers, openTimelines, type Shape, timelineSize } from "./shapes.ts";
import { simulate } from "./simulated.ts";
import { log, setClusterStage, setStage, type Stage } from "./stage.ts";
import { measureStructure, prepareStructures, structures } from "./structures.ts";

const { values } = parseArgs({
  options: { quick: { type: "boolean", default: false }, rounds: { type: "string" } },
});
const { quick } = values;
const rounds = Number(values.rounds ?? (quick ? 2 : 7));
const headline = 5_000;
/** As many pushes as pay for one trim. */
const ownPosts = 101;
const peerPosts = quick ? 2 : 10;
const ceilingCommands = quick ? 100_000 : 500_000;
const sizes = quick ? [100] : [100, 1_000, 10_000, 100_000];
/** A timeline of a peer takes up to 97 KB. For more followers than this they are shorter, which is in the peers' favour. */
const mostFullTimelines = 10_000;
const shorter = 100;
const aims: Readonly<Record<string, string>> = {
  "zadd-each": "≥ 10",
  "zadd-trim": "≥ 3",
  ceiling: "≥ 0.8",
};

const figures: Figure[] = [];
const say = (text: string): boolean => process.stderr.write(`${text}\n`);

function add(
  name: string,
  unit: string,
  value: number,
  peer: string,
  peerValue: number,
  aim: string = "",
): void {
  const round = (number: number): number => Number(number.toPrecision(4));
  figures.push({
    name,
    value: round(value),
    unit,
    peer,
    peerValue: round(peerValue),
    ratio: round(value / peerValue),
    aim,
  });
}

/** Rows of one peer: throughput, and CPU for each delivery in all and by process. */
function compare(own: Sample, peer: string, other: Sample, suffix: string): void {
  const isHeadline = suffix === "";
  const aim = isHeadline ? (aims[peer] ?? "") : "";
  add(`deliveries_per_s${suffix}`, "/s", own.perS, peer, other.perS, aim);
  if (Number.isNaN(other.clientUs)) {
    add(`delivery_redis_cpu_us${suffix}`, "µs", own.redisUs, peer, other.redisUs);
    return;
  }
  const total = ({ clientUs, redisUs }: Sample): number => clientUs + redisUs;
  add(`delivery_cpu_us${suffix}`, "µs", total(own), peer, total(other));
  add(`delivery_client_cpu_us${suffix}`, "µs", own.clientUs, peer, other.clientUs);
  add(`delivery_redis_cpu_us${suffix}`, "µs", own.redisUs, peer, other.redisUs);
}

/** Measures shapes in turns, after a round that only warms up. */
async function inTurns(
  stage: Stage,
  shapes: readonly Shape[],
  followers: number,
  ceiling: boolean,
): Promise<Map<string, Sample>> {
  const samples = new Map<string, Sample[]>();
  const ids = followersOf(followers);
  const keep = (name: string, sample: Sample): unknown =>
    samples.get(name)?.push(sample) ?? samples.set(name, [sample]);
  // About as many deliveries in a round, whatever the number of followers; this project's with a trim of each.
  const scale = Math.min(20, headline / followers);
  const ownTurns = Math.max(1, Math.round(Math.min(scale, quick ? 2 : 10)));
  const peerTurns = Math.max(1, Math.round(peerPosts * (quick ? Math.min(scale, 5) : scale)));
  for (let round = 0; round <= rounds; round += 1) {
    for (const shape of shapes) {
      const posts = shape.name === "own" ? ownPosts * ownTurns : peerTurns;
      const sample = await measure(
        stage,
        (to, postId) => shape.deliver(to, postId),
        ids,
        round === 0 ? 1 : posts,
      );
      if (round > 0) keep(shape.name, sample);
    }
    if (ceiling && round > 0) keep("ceiling", await measureCeiling(stage, followers, ceilingCommands));
  }
  return new Map([...samples].map(([name, all]) => [name, medianOf(all)]));
}

async function fanOuts(): Promise<void> {
  for (const followers of [headline, ...sizes]) {
    await using stage = await setStage();
    const own = createOwnShape(stage);
    const peers = createPeers(stage);
    const shapes = [own, ...peers.shapes];
    const peerEntries = followers <= mostFullTimelines ? timelineSize : shorter;
    const ids = followersOf(followers);
    await fillOwn(stage, ids);
    for (const shape of peers.shapes) await fillPeer(stage, shape, ids, peerEntries);
    const ranks = ids.map((_, at) => String(at).padStart(12, "0"));
    await fillPeer(stage, { keyPrefix: "ceiling:", kind: "list" }, ranks);
    const samples = await inTurns(stage, shapes, followers, true);
    peers.close();
    const { own: mine, ...others } = Object.fromEntries(samples);
    if (mine === undefined) continue;
    const suffix = followers === headline ? "" : `_${followers}`;
    for (const [peer, sample] of Object.entries(others)) compare(mine, peer, sample, suffix);
    say(`${followers} followers: ${Math.round(mine.perS)} deliveries/s`);
    if (followers === headline) await readAndSize(stage, ids);
  }
}

async function readAndSize(stage: Stage, ids: readonly bigint[]): Promise<void> {
  const { redis } = stage;
  const key = `home:{${String(ids[0])}}`;
  await fillPeer(stage, { keyPrefix: "sized:", kind: "zset" }, [0n]);
  await redis.call(key, ["DEL", key]);
  await fillOwn(stage, ids.slice(0, 1));
  const sizeOf = async (of: string): Promise<number> => Number(await redis.call(of, ["MEMORY", "USAGE", of]));
  add("timeline_800_bytes", "B", await sizeOf(key), "zadd-trim", await sizeOf("sized:{0}"), "value ≤ 9216 B");

  const some = ids.slice(0, 500);
  const zset = openRedis({ url: stage.url, log, name: "bench", commandTimeoutMs: 0 });
  const [own, other] = await compareReads([
    { stage, read: readsOf(stage, some), reads: some.length },
    {
      stage,
      read: () => Promise.all(some.map((id) => zset.zrevrange(`trimmed:{${String(id)}}`, 0, 20))),
      reads: some.length,
    },
  ]);
  zset.disconnect();
  add("read_21_cpu_us", "µs", own, "zadd-trim", other);
}

interface Reads {
  readonly stage: Stage;
  read(): Promise<unknown>;
  /** How many timelines one call reads. */
  readonly reads: number;
}

/** Reads of a page's worth of each timeline in this project's form. */
function readsOf(stage: Stage, ids: readonly bigint[]): () => Promise<unknown> {
  const homes = openTimelines(stage);
  return () => Promise.all(ids.map((id) => homes.read([id], 2n ** 63n, 21)));
}

/** CPU µs for each read, of client and Redis, in turns. */
async function compareReads(ways: readonly [Reads, Reads]): Promise<[number, number]> {
  const taken = ways.map(() => [] as number[]);
  for (let round = 0; round <= rounds; round += 1) {
    for (const [at, { stage, read, reads }] of ways.entries()) {
      const [redisBefore, cpuBefore] = [await stage.redisCpuUs(), process.cpuUsage()];
      for (let turn = 0; turn < 5; turn += 1) await read();
      const { user, system } = process.cpuUsage(cpuBefore);
      const us = (user + system + (await stage.redisCpuUs()) - redisBefore) / (5 * reads);
      if (round > 0) taken[at]?.push(us);
    }
  }
  return [median(taken[0] ?? []), median(taken[1] ?? [])];
}

/** A cluster of three masters beside one server. */
async function clusters(): Promise<void> {
  for (const followers of quick ? [headline] : [headline, Math.max(...sizes)]) {
    await using stage = await setClusterStage(false);
    await using single = await setStage();
    const ids = followersOf(followers);
    for (const each of [stage, single]) await fillOwn(each, ids);
    const own = createOwnShape(stage);
    const alone = createOwnShape(single);
    const taken = { cluster: [] as Sample[], alone: [] as Sample[] };
    for (let round = 0; round <= rounds; round += 1) {
      const posts = round === 0 ? 1 : ownPosts;
      const cluster = await measure(stage, (to, postId) => own.deliver(to, postId), ids, posts);
      const one = await measure(single, (to, postId) => alone.deliver(to, postId), ids, posts);
      if (round === 0) continue;
      taken.cluster.push(cluster);
      taken.alone.push(one);
    }
    const suffix = followers === headline ? "" : `_${followers}`;
    compare(medianOf(taken.cluster), "one-node", medianOf(taken.alone), `_cluster${suffix}`);
    if (followers !== headline) continue;
    const some = ids.slice(0, 500);
    const [inCluster, inOne] = await compareReads([
      { stage, read: readsOf(stage, some), reads: some.length },
      { stage: single, read: readsOf(single, some), reads: some.length },
    ]);
    add("read_21_cpu_us_cluster", "µs", inCluster, "one-node", inOne);
  }
}

/** What it would cost to wait for a replica after each pipeline. */
async function waits(): Promise<void> {
  await using stage = await setClusterStage(true);
  const ids = followersOf(1_000);
  await fillOwn(stage, ids);
  const homes = openTimelines(stage);
  const nodes = [...new Set(stage.url.replace("redis-cluster://", "").split(","))].slice(0, 3);
  const tags = await tagsOf(nodes, ids);
  const taken = { with: [] as number[], without: [] as number[] };
  for (let round = 0; round < 10 * rounds; round += 1) {
    for (const how of ["with", "without"] as const) {
      const startMs = performance.now();
      await homes.push(ids, { postId: BigInt(round + 2) * 1_000_000_000_000n });
      if (how === "with") await Promise.all(tags.map((tag) => stage.redis.call(tag, ["WAIT", 1, 10_000])));
      taken[how].push(performance.now() - startMs);
    }
  }
  add("pipeline_of_1000_with_wait_ms", "ms", median(taken.with), "without", median(taken.without));
}

/** One key for each of some masters. */
async function tagsOf(nodes: readonly string[], ids: readonly bigint[]): Promise<string[]> {
  const found: string[] = [];
  for (const node of nodes) {
    const redis = openRedisPipeline({ url: `redis://${node}`, log, name: "bench" });
    for (const id of ids) {
      const reply = await redis.call("", ["EXISTS", `home:{${id}}`]).catch(() => null);
      if (reply === null) continue;
      found.push(`{${id}}`);
      break;
    }
    redis.close();
  }
  return found;
}

async function compareStructures(): Promise<void> {
  const keys = quick ? 200 : 2_000;
  await using stage = await setStage();
  const bytes = await prepareStructures(stage, keys);
  const taken = new Map(structures.map(({ name }) => [name, [] as number[]]));
  for (let round = 0; round <= rounds; round += 1) {
    for (const structure of structures) {
      const us = await measureStructure(stage, structure, keys, quick ? 10 : 20);
      if (round > 0) taken.get(structure.name)?.push(us);
    }
  }
  const of = (name: string): number => median(taken.get(name) ?? []);
  for (const { name } of structures.slice(1)) {
    add("structure_push_cpu_us", "µs", of("list"), name, of(name));
    add("structure_800_bytes", "B", bytes.get("list") ?? 0, name, bytes.get(name) ?? 0);
  }
}

await compareStructures();
say("structures: done");
await fanOuts();
await clusters();
say("cluster: done");
await waits();
const { oneByOneMs, batchMs } = await simulate(headline);
add("simulated_5000_ms", "ms", batchMs, "one-by-one", oneByOneMs, "structure only");
report("fanout", figures);
