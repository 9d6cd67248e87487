import { createClient } from "@chirrup/grpc";
import {
  openPeer,
  openRedisPipeline,
  peerTls,
  startAdminServer,
  type Lifecycle,
  type RedisPipeline,
} from "@chirrup/platform";
import { UserService } from "@chirrup/proto/chirrup/user/v1/user_service";
import type { Config } from "./config.ts";
import type { Context } from "./context.ts";
import { createAccessTokens } from "./identity/access-token.ts";
import { createIdentities } from "./identity/identify.ts";
import { createKeySet } from "./identity/key-set.ts";
import { watchRevocations } from "./identity/revocations.ts";
import { createDeadline } from "./limits/deadline.ts";
import { createLimiter } from "./limits/limiter.ts";
import { createLocalBuckets } from "./limits/local-buckets.ts";
import { createRedisBuckets } from "./limits/redis-buckets.ts";
import { createChannels } from "./reload/channels.ts";
import { loadContract, type Contract } from "./reload/contract.ts";
import { currentContext } from "./reload/current-context.ts";
import { keepLoaded, reloadOnHangUp, withConfiguration } from "./reload/keep-loaded.ts";
import { createRetryBudget } from "./http/retry-budget.ts";
import { readPublicTls } from "./http/public-tls.ts";
import { startServer } from "./server.ts";
import { createTelemetry } from "./telemetry.ts";

/** The ports that were taken, for a caller that asked for any free one. */
export interface Ports {
  readonly http: number;
  readonly admin: number;
}

const firstConnectionMs = 1_000;

/** Starts the gateway in this process. Rejects when a file it is given is faulty. */
export async function start(life: Lifecycle<Config>): Promise<Ports> {
  const { config, log, metrics, readiness, signal, onStop } = life;
  const telemetry = createTelemetry(metrics);
  const tls = peerTls({ folder: config.PEER_TLS_DIR, log, signal });
  const channels = createChannels((address) => openPeer(address, config.PEER_SECRET, { tls }));
  onStop("channels", () => channels.closeAll());
  const load = (): Promise<Contract> =>
    loadContract(config, { channels, defaultDeadlineMs: config.DEADLINE_MS });
  const contract = await load();
  const userService = channels.open(config.USER_SERVICE);

  const redis = openRedisPipeline({ url: config.REDIS_URL, log, name: "gateway-rates" });
  onStop("redis", () => redis.close());
  await firstConnection(redis);

  const keys = createKeySet({ url: config.JWKS_URL, tls: tls?.client, log });
  void keys.keepFresh(signal);
  readiness.add("keys", () => (keys.isLoaded ? undefined : "the key set has not been fetched"));
  const revocations = watchRevocations({ users: createClient(UserService, userService), log });
  onStop("revocations", () => revocations.close());
  readiness.add("revocations", () => (revocations.hasSnapshot() ? undefined : "the snapshot has not come"));

  const fixed: Omit<Context, keyof Contract> = {
    limiter: createLimiter({
      redis: createRedisBuckets(redis, config.REDIS_DEADLINE_MS),
      local: createLocalBuckets(config.GATEWAYS),
      onRedisFailure: () => telemetry.redisFailed(),
      onDryRun: ({ name }) => telemetry.rateDryRun(name),
      onRedisAnswer: (seconds) => telemetry.redisAnswered(seconds),
    }),
    identities: createIdentities(
      createAccessTokens({
        keys,
        issuer: config.TOKEN_ISSUER,
        audience: config.TOKEN_AUDIENCE,
        type: config.TOKEN_TYPE,
      }),
      revocations,
    ),
    retries: createRetryBudget(),
    maxBodyBytes: config.MAX_BODY_BYTES,
    maxInFlight: config.MAX_IN_FLIGHT,
    log,
    telemetry,
  };
  const loaded = keepLoaded({
    first: contract,
    load,
    paths: [config.GATEWAY_CONFIG, config.RATE_RULES, config.DESCRIPTORS],
    everyMs: config.WATCH_MS,
    log,
    telemetry,
    signal,
    onSwap({ upstreams }) {
      channels.closeOthers(new Set([userService, ...upstreams.values()]), config.SHUTDOWN_GRACE_MS);
    },
  });
  reloadOnHangUp(life, () => {
    void loaded.reload();
    void keys.refresh();
  });

  const server = await startServer(currentContext(loaded, fixed), {
    host: config.HOST,
    port: config.HTTP_PORT,
    http2Streams: config.HTTP2_STREAMS,
    tls: readPublicTls({ folder: config.PUBLIC_TLS_DIR, everyMs: config.WATCH_MS, log, signal }),
  });
  onStop("http", () => server.close(config.SHUTDOWN_GRACE_MS));

  const admin = await startAdminServer({
    host: config.HOST,
    port: config.ADMIN_PORT,
    readiness: withConfiguration(readiness, loaded),
    metrics,
    log,
  });
  onStop("admin", () => admin.close());
  log.info(
    { port: server.port, routes: contract.routes.routes.length, version: contract.version },
    "listening",
  );
  return { http: server.port, admin: admin.port };
}

/** Waits a moment, so that the first requests are counted with everyone else's; the gateway serves without Redis too. */
async function firstConnection(redis: RedisPipeline): Promise<void> {
  const within = createDeadline(firstConnectionMs, "redis cannot be reached");
  await within(redis.call("rate:{first}", ["PING"])).catch(() => undefined);
}
