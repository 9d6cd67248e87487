import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort, startRedis, type RedisServer } from "@chirrup/servers";
import { platformDescriptors } from "../descriptors.ts";
import { createHttpClient, type HttpClient } from "../http-client.ts";
import { startIssuer, tokenAudience, tokenIssuer, type Issuer } from "../issuer.ts";
import { peerSecret, startServices } from "../services.ts";

export interface Stage {
  readonly issuer: Issuer;
  readonly clients: readonly HttpClient[];
  redis: RedisServer;
  /** The same server anew: without its memory. */
  startRedis(): Promise<RedisServer>;
  [Symbol.asyncDispose](): Promise<void>;
}

export interface StageOptions {
  /** A gateway process for each, whose clock is so far off. */
  readonly skewsMs: readonly number[];
  readonly rates: string;
  readonly redisDeadlineMs: number;
  readonly deadlineMs: number;
}

const file = (name: string): string => new URL(name, import.meta.url).pathname;

/** Gateway processes with clocks of their own before one Redis, and the four services. */
export async function setStage(options: StageOptions): Promise<Stage> {
  const folder = mkdtempSync(join(tmpdir(), "gateways-"));
  const port = await freePort();
  const serveRedis = (): Promise<RedisServer> =>
    startRedis({ dataDir: join(folder, "redis"), port, logFile: join(folder, "redis.log") });
  const redis = await serveRedis();
  const [issuer, services] = await Promise.all([startIssuer(), startServices()]);
  writeFileSync(join(folder, "rates.yaml"), options.rates);
  const env = {
    ...services.env,
    // They end with this process, however it ends.
    CHIRRUP_SUPERVISED: "1",
    LOG_LEVEL: "fatal",
    DESCRIPTORS: platformDescriptors,
    GATEWAY_CONFIG: file("../../config/gateway.local.yaml"),
    RATE_RULES: join(folder, "rates.yaml"),
    REDIS_URL: redis.url,
    REDIS_DEADLINE_MS: String(options.redisDeadlineMs),
    DEADLINE_MS: String(options.deadlineMs),
    GATEWAYS: String(options.skewsMs.length),
    PEER_SECRET: peerSecret,
    JWKS_URL: issuer.url,
    TOKEN_ISSUER: tokenIssuer,
    TOKEN_AUDIENCE: tokenAudience,
  };
  const gateways = await Promise.all(
    options.skewsMs.map(async (skewMs) => {
      const [http, admin] = [await freePort(), await freePort()];
      const ports = { HTTP_PORT: String(http), ADMIN_PORT: String(admin), CLOCK_SKEW_MS: String(skewMs) };
      const child = startGateway({ ...env, ...ports });
      await untilReady(admin, child);
      return { child, client: createHttpClient(http) };
    }),
  );
  const stage: Stage = {
    issuer,
    clients: gateways.map(({ client }) => client),
    redis,
    startRedis: serveRedis,
    async [Symbol.asyncDispose]() {
      for (const { client, child } of gateways) {
        client.close();
        const exited = child.exitCode ?? once(child, "exit");
        child.stdin?.end();
        await exited;
      }
      await Promise.all([services.close(), issuer.close(), stage.redis.stop()]);
      rmSync(folder, { recursive: true, force: true });
    },
  };
  return stage;
}

function startGateway(env: Record<string, string>): ChildProcess {
  const flags = ["--conditions=source", "--disable-warning=ExperimentalWarning"];
  return spawn(process.execPath, [...flags, "--import", file("skewed-clock.ts"), file("../../src/main.ts")], {
    env: { ...process.env, ...env },
    stdio: ["pipe", "ignore", "inherit"],
  });
}

async function untilReady(adminPort: number, child: ChildProcess): Promise<void> {
  const until = performance.now() + 120_000;
  while (performance.now() < until) {
    if (child.exitCode !== null) throw new Error(`a gateway ended with ${child.exitCode}`);
    const response = await fetch(`http://127.0.0.1:${adminPort}/readyz`).catch(() => undefined);
    if (response?.status === 200) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error("a gateway does not become ready");
}
