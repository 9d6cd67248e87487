import { execFileSync } from "node:child_process";
import { median } from "../report.ts";
import { nextPostId } from "./fill.ts";
import type { Deliver } from "./shapes.ts";
import type { Stage } from "./stage.ts";

const redisBenchmark = "redis-benchmark";

/** What some deliveries took. */
export interface Sample {
  readonly perS: number;
  /** CPU µs for each delivery, in the client and in Redis. */
  readonly clientUs: number;
  readonly redisUs: number;
}

/** Posts under way at once, in every shape: events of different authors do not wait for one another. */
const atOnce = 8;

/** Delivers posts, some of them at once, so that the server is as little without work as with `redis-benchmark`. */
export async function measure(
  stage: Stage,
  deliver: Deliver,
  followerIds: readonly bigint[],
  posts: number,
): Promise<Sample> {
  const [redisBefore, cpuBefore, startMs] = [await stage.redisCpuUs(), process.cpuUsage(), performance.now()];
  let begun = 0;
  const line = async (): Promise<void> => {
    while (begun < posts) {
      begun += 1;
      await deliver(followerIds, nextPostId());
    }
  };
  await Promise.all(Array.from({ length: atOnce }, line));
  const seconds = (performance.now() - startMs) / 1_000;
  const { user, system } = process.cpuUsage(cpuBefore);
  const deliveries = posts * followerIds.length;
  return {
    perS: deliveries / seconds,
    clientUs: (user + system) / deliveries,
    redisUs: ((await stage.redisCpuUs()) - redisBefore) / deliveries,
  };
}

/** `redis-benchmark` with the fan-out's command at pipeline depth 100, on keys `ceiling:{000000000000}` and on. */
export async function measureCeiling(stage: Stage, keys: number, commands: number): Promise<Sample> {
  const redisBefore = await stage.redisCpuUs();
  const args = ["-p", String(stage.port), "-n", String(commands), "-P", "100", "-r", String(keys), "-q"];
  const command = ["RPUSHX", "ceiling:{__rand_int__}", String(nextPostId())];
  const said = execFileSync(redisBenchmark, [...args, ...command], { encoding: "utf8" });
  const redisUs = ((await stage.redisCpuUs()) - redisBefore) / commands;
  const perS = Number(/([\d.]+) requests per second/.exec(said.split("\r").at(-1) ?? "")?.[1]);
  return { perS, clientUs: Number.NaN, redisUs };
}

export function medianOf(samples: readonly Sample[]): Sample {
  return {
    perS: median(samples.map(({ perS }) => perS)),
    clientUs: median(samples.map(({ clientUs }) => clientUs)),
    redisUs: median(samples.map(({ redisUs }) => redisUs)),
  };
}
