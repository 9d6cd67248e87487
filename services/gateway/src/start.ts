import { once } from "node:events";
import { createClient, type Channel } from "@chirrup/grpc";
import { openPeer, openRedis, startAdminServer, type Lifecycle, type Redis } from "@chirrup/platform";
import { UserService } from "@chirrup/proto/chirrup/user/v1/user_service";
import { loadFiles, type Config } from "./config.ts";
import { createAccessTokens } from "./identity/access-token.ts";
import { createClientAddress } from "./identity/client-address.ts";
import { createIdentities } from "./identity/identify.ts";
import { createKeySet } from "./identity/key-set.ts";
import { watchRevocations } from "./identity/revocations.ts";
import { createLimiter } from "./limits/limiter.ts";
import { createLocalBuckets } from "./limits/local-buckets.ts";
import { createRedisBuckets } from "./limits/redis-buckets.ts";
import { indexRules } from "./limits/rules.ts";
import { loadDescriptors } from "./routing/descriptors.ts";
import { buildRouteTable, type Route } from "./routing/route-table.ts";
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
  const { gateway, rules } = await loadFiles(config);
  const routes = buildRouteTable(await loadDescriptors(config.DESCRIPTORS), {
    defaultDeadlineMs: config.DEADLINE_MS,
    cookieNames: new Set(gateway.cookies.keys()),
  });
  const telemetry = createTelemetry(metrics);

  const channels = openChannels([config.USER_SERVICE, ...gateway.upstreams.values()], config.PEER_SECRET);
  onStop("channels", () => channels.forEach((channel) => channel.close()));
  const redis = openRedis({ url: config.REDIS_URL, log, name: "gateway-rates" });
  onStop("redis", () => redis.disconnect());
  await firstConnection(redis);

  const keys = createKeySet({ url: config.JWKS_URL, log });
  void keys.keepFresh(signal);
  readiness.add("keys", () => (keys.isLoaded ? undefined : "the key set has not been fetched"));
  const revocations = watchRevocations({
    users: createClient(UserService, channelOf(channels, config.USER_SERVICE)),
    log,
  });
  onStop("revocations", () => revocations.close());
  readiness.add("revocations", () => (revocations.hasSnapshot() ? undefined : "the snapshot has not come"));

  const server = await startServer(
    {
      routes,
      rules: indexRules(rules, routes.routes),
      limiter: createLimiter({
        redis: createRedisBuckets(redis, config.REDIS_DEADLINE_MS),
        local: createLocalBuckets(config.GATEWAYS),
        onRedisFailure: () => telemetry.redisFailed(),
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
      upstreams: upstreamsOf(routes.routes, gateway.upstreams, channels),
      cookies: gateway.cookies,
      origins: gateway.origins,
      clientAddress: createClientAddress(gateway.trustedProxies),
      strictTransportSecurity: gateway.strictTransportSecurity,
      maxBodyBytes: config.MAX_BODY_BYTES,
      log,
      telemetry,
    },
    { host: config.HOST, port: config.HTTP_PORT },
  );
  onStop("http", () => server.close(config.SHUTDOWN_GRACE_MS));

  const admin = await startAdminServer({
    host: config.HOST,
    port: config.ADMIN_PORT,
    readiness,
    metrics,
    log,
  });
  onStop("admin", () => admin.close());
  log.info({ port: server.port, routes: routes.routes.length, rules: rules.length }, "listening");
  return { http: server.port, admin: admin.port };
}

/** Waits a moment, so that the first requests are counted with everyone else's; the gateway serves without Redis too. */
async function firstConnection(redis: Redis): Promise<void> {
  if (redis.status === "ready") return;
  const waited = AbortSignal.timeout(firstConnectionMs);
  await once(redis, "ready", { signal: waited }).catch(() => undefined);
}

/** One channel for each address, however many services are behind it. */
function openChannels(addresses: readonly string[], peerSecret: string): Map<string, Channel> {
  return new Map([...new Set(addresses)].map((address) => [address, openPeer(address, peerSecret)]));
}

function channelOf(channels: ReadonlyMap<string, Channel>, address: string): Channel {
  const channel = channels.get(address);
  if (channel === undefined) throw new Error(`there is no channel to ${address}`);
  return channel;
}

function upstreamsOf(
  routes: readonly Route[],
  addresses: ReadonlyMap<string, string>,
  channels: ReadonlyMap<string, Channel>,
): ReadonlyMap<string, Channel> {
  return new Map(
    routes.map(({ rpc }) => {
      const service = rpc.parent.typeName;
      const address = addresses.get(service);
      if (address === undefined)
        throw new Error(`${service} has routes, but the gateway file names no upstream for it`);
      return [service, channelOf(channels, address)];
    }),
  );
}
