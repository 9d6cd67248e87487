import { openChannel } from "@chirrup/grpc";
import { openRedisPipeline, startAdminServer, type Lifecycle } from "@chirrup/platform";
import type { FilePaths } from "../config.ts";
import { readPublicTls } from "../http/public-tls.ts";
import { createRetryBudget } from "../http/retry-budget.ts";
import { createAccessTokens } from "../identity/access-token.ts";
import { createIdentities, type Identities } from "../identity/identify.ts";
import { createKeySet, type KeySet } from "../identity/key-set.ts";
import { createLimiter } from "../limits/limiter.ts";
import { createLocalBuckets } from "../limits/local-buckets.ts";
import { createRedisBuckets, type RedisBuckets } from "../limits/redis-buckets.ts";
import { createChannels, type Channels } from "../reload/channels.ts";
import { loadContract, type Contract } from "../reload/contract.ts";
import { currentContext } from "../reload/current-context.ts";
import { keepLoaded, reloadOnHangUp, withConfiguration } from "../reload/keep-loaded.ts";
import { startServer } from "../server.ts";
import { createTelemetry } from "../telemetry.ts";
import { routeTable } from "./check.ts";

/** Whose tokens are taken, and what they must say. */
export interface TokenIssuer {
  readonly jwks: string;
  readonly issuer: string | undefined;
  readonly audience: string | undefined;
  readonly type: string;
}

export interface RunAloneOptions {
  readonly descriptors: string;
  /** Full name of a service → its address, in a form that gRPC knows. */
  readonly upstreams: ReadonlyMap<string, string>;
  /** Undefined: anybody may call every route. */
  readonly issuer: TokenIssuer | undefined;
  readonly host: string;
  readonly port: number;
  /** Of /healthz, /readyz and /metrics; undefined: none. */
  readonly adminPort?: number | undefined;
  /** Folder of tls.crt and tls.key. */
  readonly tls?: string | undefined;
  readonly redis?: string | undefined;
  readonly rates?: string | undefined;
  readonly gatewayFile?: string | undefined;
  /** How often the files are looked at for a change. Default: 1,000. */
  readonly watchMs?: number;
}

const redisDeadlineMs = 20;
const defaultDeadlineMs = 5_000;
const http2Streams = 100;

/** Reads and checks the files as they are now. Throws an Error with the reason when they cannot be served. */
export async function loadAlone(options: RunAloneOptions, channels: Channels): Promise<Contract> {
  const contract = await loadContract(pathsOf(options), {
    channels,
    defaultDeadlineMs,
    everybodyMayCall: options.issuer === undefined,
    upstreams: options.upstreams,
    alwaysDescribed: true,
  });
  if (contract.routes.routes.length === 0)
    throw new Error("no method of the descriptors has a google.api.http rule");
  return contract;
}

function pathsOf({ descriptors, gatewayFile, rates }: RunAloneOptions): FilePaths {
  return { DESCRIPTORS: descriptors, GATEWAY_CONFIG: gatewayFile, RATE_RULES: rates };
}

/** Serves any gRPC services over HTTP, with no platform around. Gives what to tell the user. Rejects when what it is given cannot be served. */
export async function runAlone(
  life: Lifecycle<{ SHUTDOWN_GRACE_MS: number }>,
  options: RunAloneOptions,
): Promise<string> {
  const { config, log, metrics, readiness, signal, onStop } = life;
  const { SHUTDOWN_GRACE_MS: graceMs } = config;
  const { host, issuer, watchMs = 1_000 } = options;
  const channels = createChannels((address) => openChannel(address));
  onStop("channels", () => channels.closeAll());
  const load = (): Promise<Contract> => loadAlone(options, channels);
  const first = await load();

  const telemetry = createTelemetry(metrics);
  const keys = issuer && createKeySet({ url: issuer.jwks, log });
  void keys?.keepFresh(signal);
  const loaded = keepLoaded({
    first,
    load,
    paths: Object.values(pathsOf(options)),
    everyMs: watchMs,
    log,
    telemetry,
    signal,
    onSwap: ({ upstreams }) => channels.closeOthers(new Set(upstreams.values()), graceMs),
  });
  reloadOnHangUp(life, () => {
    void loaded.reload();
    void keys?.refresh();
  });
  const current = currentContext(loaded, {
    limiter: createLimiter({
      redis: openBuckets(options.redis, life),
      local: createLocalBuckets(1),
      onDryRun: ({ name }) => telemetry.rateDryRun(name),
      onRedisAnswer: (seconds) => telemetry.redisAnswered(seconds),
      onRedisFailure: () => {
        if (options.redis !== undefined) telemetry.redisFailed();
      },
    }),
    identities:
      issuer && keys
        ? identitiesOf(issuer, keys)
        : { known: () => undefined, find: () => Promise.resolve(undefined) },
    retries: createRetryBudget(),
    maxBodyBytes: 1_048_576,
    maxInFlight: 2_000,
    log,
    telemetry,
  });
  const tls = readPublicTls({ folder: options.tls, everyMs: watchMs, log, signal });
  const server = await startServer(current, { host, port: options.port, tls, http2Streams });
  onStop("http", () => server.close(graceMs));
  let text = `${routeTable(first.routes.routes, first.rules)}

http${tls === undefined ? "" : "s"}://${host}:${server.port} serves these, and /docs to try them
`;
  if (options.adminPort !== undefined) {
    const admin = await startAdminServer({
      host,
      port: options.adminPort,
      readiness: withConfiguration(readiness, loaded),
      metrics,
      log,
    });
    onStop("admin", () => admin.close());
    text += `http://${host}:${admin.port} has /healthz, /readyz and /metrics\n`;
  }
  return text;
}

/** Without a Redis every call fails at once, and so every rule counts in this process. */
function openBuckets(
  url: string | undefined,
  { log, onStop }: Pick<Lifecycle<unknown>, "log" | "onStop">,
): RedisBuckets {
  if (url === undefined)
    return { isCluster: false, take: () => Promise.reject(new Error("there is no redis")) };
  const redis = openRedisPipeline({ url, log, name: "gateway-rates" });
  onStop("redis", () => redis.close());
  return createRedisBuckets(redis, redisDeadlineMs);
}

function identitiesOf({ issuer, audience, type }: TokenIssuer, keys: KeySet): Identities {
  const tokens = createAccessTokens({ keys, issuer, audience, type, subject: "text" });
  // Nobody tells of sessions that ended: a token is good until it expires.
  return createIdentities(tokens, { isKnownLive: () => true, check: () => Promise.resolve(true) });
}
