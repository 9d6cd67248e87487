import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createLogger, openRedisPipeline, type RedisPipeline } from "@chirrup/platform";
import { freePort, startRedis, startRedisCluster } from "@chirrup/servers";

/** A Redis of its own, and a client of this project to it. */
export interface Stage extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  readonly redis: RedisPipeline;
  /** CPU that Redis has used, in µs, of all its processes. */
  redisCpuUs(): Promise<number>;
}

export const log = createLogger({ service: "bench", level: "error", format: "json" });
/** Masters serve; no expiry, no eviction, no persistence, as for the timelines in production. */
const settings = { appendonly: "no", "zset-max-listpack-entries": "128" };

function open(url: string): RedisPipeline {
  return openRedisPipeline({ url, log, name: "bench", commandTimeoutMs: 120_000 });
}

async function cpuUs(redis: RedisPipeline): Promise<number> {
  const text = String(await redis.call("", ["INFO", "cpu"]));
  const seconds = ["used_cpu_user", "used_cpu_sys"].map((name) =>
    Number(new RegExp(`${name}:([\\d.]+)`).exec(text)?.[1] ?? 0),
  );
  return 1e6 * seconds.reduce((sum, value) => sum + value, 0);
}

export async function setStage(): Promise<Stage> {
  const folder = mkdtempSync(join(tmpdir(), "chirrup-bench-fanout-"));
  const port = await freePort();
  const server = await startRedis({ dataDir: folder, port, logFile: join(folder, "log"), settings });
  const redis = open(server.url);
  return {
    url: server.url,
    port,
    redis,
    redisCpuUs: () => cpuUs(redis),
    async [Symbol.asyncDispose]() {
      redis.close();
      await server.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** A cluster of three masters, each with a replica when `replicas` says so. */
export async function setClusterStage(replicas: boolean): Promise<Stage> {
  const folder = mkdtempSync(join(tmpdir(), "chirrup-bench-fanout-"));
  const cluster = await startRedisCluster({
    dataDir: folder,
    logDir: folder,
    replicasEach: replicas ? 1 : 0,
    settings,
  });
  const url = `redis-cluster://${cluster.addresses.join(",")}`;
  const redis = open(url);
  const each = cluster.nodes.map((node) => open(node.url));
  return {
    url,
    port: 0,
    redis,
    async redisCpuUs() {
      const all = await Promise.all(each.map(cpuUs));
      return all.reduce((sum, one) => sum + one, 0);
    },
    async [Symbol.asyncDispose]() {
      for (const client of [redis, ...each]) client.close();
      await cluster.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
