import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import {
  createMetrics,
  createReadiness,
  parseConfig,
  type Logger,
  type Metrics,
  type Readiness,
} from "@chirrup/platform";
import { testLog, testRedis, waitFor } from "@chirrup/testkit";
import { configSchema } from "../src/config.ts";
import { start } from "../src/start.ts";
import { platformDescriptors } from "./descriptors.ts";
import { createHttpClient, type HttpClient } from "./http-client.ts";
import { startIssuer, tokenAudience, tokenIssuer, type Issuer } from "./issuer.ts";
import { peerSecret, startServices, type Services } from "./services.ts";

export interface GatewayOptions {
  readonly env?: Record<string, string>;
  /** Content of the gateway file; the local profile's when absent. */
  readonly gatewayFile?: string;
  /** Content of the rules; none when absent. */
  readonly rates?: string;
  readonly descriptors?: string;
  readonly log?: Logger;
  /** Does not wait until it is ready. */
  readonly unready?: boolean;
}

export interface TestGateway {
  readonly port: number;
  readonly adminPort: number;
  readonly ask: HttpClient;
  readonly issuer: Issuer;
  readonly services: Services;
  readonly readiness: Readiness;
  readonly metrics: Metrics;
  readonly redisUrl: string;
  /** Begins to stop, as SIGTERM does; resolves when all is closed. */
  stop(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

const config = fileURLToPath(new URL("../config/", import.meta.url));

export interface Parts {
  readonly issuer: Issuer;
  readonly services: Services;
  readonly redisUrl: string;
}

/** What gateways share. */
export async function startParts(): Promise<Parts & AsyncDisposable> {
  const [issuer, services, redis] = await Promise.all([startIssuer(), startServices(), testRedis()]);
  return {
    issuer,
    services,
    redisUrl: redis.url,
    async [Symbol.asyncDispose]() {
      await services.close();
      await issuer.close();
    },
  };
}

/** Answers no `GetPost` from now on until `release`. */
export function holdPosts({ services }: Pick<TestGateway, "services">): {
  /** How many were asked for. */
  asked(): number;
  release(): void;
} {
  const { promise: answer, resolve } = Promise.withResolvers<object>();
  let asked = 0;
  services.getPost = () => {
    asked += 1;
    return answer;
  };
  return { asked: () => asked, release: () => resolve({ post: { id: 1n } }) };
}

/** A whole gateway in this process, before services, issuer and Redis of its own or of others. */
export async function startGateway(options: GatewayOptions = {}, shared?: Parts): Promise<TestGateway> {
  const parts = shared ?? (await startParts());
  const folder = mkdtempSync(join(tmpdir(), "gateway-test-"));
  writeFileSync(join(folder, "rates.yaml"), options.rates ?? "rules: []");
  if (options.gatewayFile !== undefined) writeFileSync(join(folder, "gateway.yaml"), options.gatewayFile);

  // The gateway file names the services by variables.
  Object.assign(process.env, parts.services.env);
  const stopping = new AbortController();
  const closers: (() => Promise<void> | void)[] = [];
  const readiness = createReadiness();
  const metrics = createMetrics({ service: "gateway" });
  const ports = await start({
    config: parseConfig(configSchema, {
      HTTP_PORT: "0",
      ADMIN_PORT: "0",
      DESCRIPTORS: options.descriptors ?? platformDescriptors,
      GATEWAY_CONFIG: join(
        options.gatewayFile === undefined ? config : folder,
        options.gatewayFile === undefined ? "gateway.local.yaml" : "gateway.yaml",
      ),
      RATE_RULES: join(folder, "rates.yaml"),
      REDIS_URL: parts.redisUrl,
      PEER_SECRET: peerSecret,
      JWKS_URL: parts.issuer.url,
      TOKEN_ISSUER: tokenIssuer,
      TOKEN_AUDIENCE: tokenAudience,
      SHUTDOWN_GRACE_MS: "3000",
      ...parts.services.env,
      ...options.env,
    }),
    log: options.log ?? testLog(),
    metrics,
    readiness,
    signal: stopping.signal,
    onStop: (_, close) => closers.unshift(close),
  });
  const ask = createHttpClient(ports.http);
  if (options.unready !== true)
    await waitFor(() => readiness.report().ready, { what: "the gateway to be ready" });

  let stopped: Promise<void> | undefined;
  const stop = (): Promise<void> => {
    stopped ??= (async () => {
      stopping.abort();
      for (const close of closers) await close();
      rmSync(folder, { recursive: true, force: true });
    })();
    return stopped;
  };
  return {
    port: ports.http,
    adminPort: ports.admin,
    ask,
    issuer: parts.issuer,
    services: parts.services,
    readiness,
    metrics,
    redisUrl: parts.redisUrl,
    stop,
    async [Symbol.asyncDispose]() {
      ask.close();
      await stop();
      if (shared === undefined) await (parts as Parts & AsyncDisposable)[Symbol.asyncDispose]();
    },
  };
}

/** How many of its calls for token buckets Redis did not answer in time. */
export async function redisFailuresOf({ metrics }: TestGateway): Promise<number> {
  const metric = await metrics.registry.getSingleMetric("chirrup_gateway_rate_redis_failures_total")?.get();
  return metric?.values[0]?.value ?? 0;
}
