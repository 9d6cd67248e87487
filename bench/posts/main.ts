/**
 * What reading and liking posts costs, each against what one would write instead, in turns in one run:
 *
 *     node -C source bench/posts/main.ts [--quick]
 *
 * Prints a table and writes bench/results/posts.json. Needs a redis-server; starts all else itself.
 */
import { type Figure, median, report } from "../report.ts";
import { countOneThing, makeCountingTables, type Way, ways } from "./counting.ts";
import { fromPostgres, readPages, throughRedis, writePosts } from "./get-many.ts";
import { setStage } from "./processes.ts";
import { type PairStage, type ReadCost, setPair, type WriteCost } from "./replica.ts";
import { likeOnePost, makeRowTables } from "./viral-likes.ts";

const quick = process.argv.includes("--quick");
const rounds = quick ? 3 : 7;
const likes = { service: quick ? 3_000 : 10_000, updateRow: quick ? 800 : 3_000 };
const [rowsAlone, rowsShared] = quick ? [600, 3_000] : [2_000, 20_000];
const pages = quick ? 1_000 : 5_000;

function figure(
  name: string,
  unit: string,
  own: readonly number[],
  peer: string,
  others: readonly number[],
  aim: string,
): Figure {
  const [value, peerValue] = [median(own), median(others)];
  return { name, value, unit, peer, peerValue, ratio: value / peerValue, aim };
}

await using stage = await setStage();
await makeRowTables(stage);
const progress = (text: string): boolean => process.stderr.write(`${text}\n`);

const viral = { service: [] as number[], updateRow: [] as number[] };
const likeCpu = { service: [] as number[], updateRow: [] as number[] };
let postId = 0n;
for (let round = 0; round <= rounds; round += 1) {
  for (const who of ["service", "updateRow"] as const) {
    const run = await likeOnePost(stage, who, ++postId, round === 0 ? 500 : likes[who]);
    progress(`viral likes, ${who}: ${Math.round(run.likesPerS)}/s`);
    // The first round only warms up.
    if (round === 0) continue;
    viral[who].push(run.likesPerS);
    likeCpu[who].push(run.serviceCpuUs);
  }
}

await makeCountingTables(stage);
const counting = Object.fromEntries(ways.map((way): [Way, number[]] => [way, []])) as Record<Way, number[]>;
for (let round = 0; round <= rounds; round += 1) {
  for (const way of ways) {
    const rows = round === 0 ? 100 : way.endsWith("shared") ? rowsShared : rowsAlone;
    const perS = await countOneThing(stage, way, ++postId, rows);
    progress(`counting, ${way}: ${Math.round(perS)}/s`);
    if (round > 0) counting[way].push(perS);
  }
}

const ids = await writePosts(stage, 5_000);
const [whole, cached] = [fromPostgres(stage), throughRedis(stage)];
await cached.fill(ids);
const cpu = { whole: [] as number[], cached: [] as number[] };
const speed = { whole: [] as number[], cached: [] as number[] };
for (let round = 0; round <= rounds; round += 1) {
  for (const [name, way] of [
    ["whole", whole],
    ["cached", cached],
  ] as const) {
    const run = await readPages(way, ids, round === 0 ? 100 : pages);
    progress(`get many, ${name}: ${run.cpuUsPerPost.toFixed(1)} µs a post`);
    if (round === 0) continue;
    cpu[name].push(run.cpuUsPerPost);
    speed[name].push(run.pagesPerS);
  }
}
cached.close();

const reads = Object.fromEntries(
  ["primary warm", "primary cold", "replica warm", "replica cold"].map((name): [string, ReadCost[]] => [
    name,
    [],
  ]),
);
const writes: Record<string, WriteCost[]> = { "token 1": [], "plain 1": [], "token 64": [], "plain 64": [] };
const carried = { token: [] as number[], none: [] as number[] };
async function compareServers(pair: PairStage, keeps: boolean): Promise<void> {
  for (const from of ["primary", "replica"] as const) {
    const cold = await pair.readCold(from);
    const warm = await pair.readWarm(from, keeps ? pages : 100);
    progress(`get many, ${from}: cold ${cold.cpuUs.toFixed(1)}, warm ${warm.cpuUs.toFixed(1)} µs a post`);
    if (!keeps) continue;
    reads[`${from} cold`]?.push(cold);
    reads[`${from} warm`]?.push(warm);
  }
  for (const atOnce of [1, 64]) {
    for (const token of [true, false]) {
      const cost = await pair.write(token, atOnce, keeps ? pages : 100);
      if (keeps) writes[`${token ? "token" : "plain"} ${atOnce}`]?.push(cost);
    }
  }
  for (const token of [true, false]) {
    const cpuUs = await pair.readWith(token, keeps ? pages : 100);
    if (keeps) carried[token ? "token" : "none"].push(cpuUs);
  }
}
{
  await using pair = await setPair(stage.log);
  for (let round = 0; round <= rounds; round += 1) await compareServers(pair, round > 0);
}
const readsOf = (name: string, of: keyof ReadCost): number[] => reads[name]?.map((cost) => cost[of]) ?? [];
const writesOf = (name: string, of: keyof WriteCost): number[] => writes[name]?.map((cost) => cost[of]) ?? [];

report("posts", [
  figure("viral_likes_per_s", "1/s", viral.service, "update-row", viral.updateRow, "at least 10"),
  figure("viral_like_service_cpu_us", "µs", likeCpu.service, "update-row", likeCpu.updateRow, ""),
  figure("count_rows_per_s", "1/s", counting.shards, "row", counting.row, ""),
  figure("count_rows_per_s", "1/s", counting.shards, "deltas", counting.deltas, ""),
  figure("count_rows_per_s_shared", "1/s", counting["shards-shared"], "row", counting.row, ""),
  figure(
    "count_rows_per_s_shared",
    "1/s",
    counting["shards-shared"],
    "deltas",
    counting["deltas-shared"],
    "",
  ),
  figure("count_transactions_per_s", "1/s", counting["tx-deltas"], "row", counting["tx-row"], ""),
  figure("get_many_cpu_us", "µs", cpu.whole, "redis-mget", cpu.cached, ""),
  figure("get_many_pages_per_s", "1/s", speed.whole, "redis-mget", speed.cached, ""),
  ...["warm", "cold"].flatMap((state) => {
    const [replica, primary] = [`replica ${state}`, `primary ${state}`];
    const of = (name: string, unit: string, what: keyof ReadCost): Figure =>
      figure(`${name}_${state}_replica`, unit, readsOf(replica, what), "primary", readsOf(primary, what), "");
    return [
      of("get_many_cpu_us", "µs", "cpuUs"),
      of("get_many_server_cpu_us", "µs", "serverCpuUs"),
      of("get_many_buffer_hits", "", "hits"),
    ];
  }),
  figure("get_many_cpu_us_with_token", "µs", carried.token, "without", carried.none, ""),
  ...[1, 64].flatMap((atOnce) => {
    const [token, plain] = [`token ${atOnce}`, `plain ${atOnce}`];
    return [
      figure(
        `write_cpu_us_token_${atOnce}`,
        "µs",
        writesOf(token, "cpuUs"),
        "without",
        writesOf(plain, "cpuUs"),
        "",
      ),
      figure(`write_ms_token_${atOnce}`, "ms", writesOf(token, "ms"), "without", writesOf(plain, "ms"), ""),
    ];
  }),
]);
