import { readFile } from "node:fs/promises";
import { openChannel } from "@chirrup/grpc";
import { openRedisPipeline, type Lifecycle } from "@chirrup/platform";
import { parse } from "yaml";
import { parseDescriptors } from "../routing/descriptors.ts";
import { parseGatewayFile } from "../gateway-file.ts";
import { createAccessTokens } from "../identity/access-token.ts";
import { createClientAddress } from "../identity/client-address.ts";
import { createIdentities, type Identities } from "../identity/identify.ts";
import { createKeySet } from "../identity/key-set.ts";
import { createLimiter } from "../limits/limiter.ts";
import { createLocalBuckets } from "../limits/local-buckets.ts";
import { createRedisBuckets, type RedisBuckets } from "../limits/redis-buckets.ts";
import { indexRules, parseRules } from "../limits/rules.ts";
import { describeRoutes } from "../openapi/document.ts";
import { createPages } from "../openapi/pages.ts";
import { createChannels } from "../reload/channels.ts";
import { buildRouteTable } from "../routing/route-table.ts";
import { checkAccessLog } from "../http/access-log.ts";
import { createRetryBudget } from "../http/retry-budget.ts";
import { startServer } from "../server.ts";
import { createTelemetry } from "../telemetry.ts";
import { routeTable } from "./check.ts";

export interface RunAloneOptions {
  readonly descriptors: string;
  /** Full name of a service → its address, in a form that gRPC knows. */
  readonly upstreams: ReadonlyMap<string, string>;
  /** Undefined: anybody may call every route. */
  readonly issuer:
    | {
        readonly jwks: string;
        readonly issuer: string | undefined;
        readonly audience: string | undefined;
        readonly type: string;
      }
    | undefined;
  readonly host: string;
  readonly port: number;
  readonly redis: string | undefined;
  readonly rates: string | undefined;
  readonly gatewayFile: string | undefined;
}

const redisDeadlineMs = 20;
const defaultDeadlineMs = 5_000;

/** Serves any gRPC services over HTTP, with no platform around. Gives what to tell the user. Rejects when what it is given cannot be served. */
export async function runAlone(
  life: Pick<Lifecycle<{ SHUTDOWN_GRACE_MS: number }>, "config" | "log" | "metrics" | "signal" | "onStop">,
  options: RunAloneOptions,
): Promise<string> {
  const { config, log, metrics, signal, onStop } = life;
  const content: unknown =
    options.gatewayFile === undefined ? {} : parse(await readFile(options.gatewayFile, "utf8"));
  const file = parseGatewayFile({ upstreams: {}, ...(content as object) }, {});
  const registry = parseDescriptors(await readFile(options.descriptors));
  const { routes, find } = buildRouteTable(registry, {
    defaultDeadlineMs,
    cookieNames: new Set(file.cookies.keys()),
    everybodyMayCall: options.issuer === undefined,
  });
  if (routes.length === 0) throw new Error("no method of the descriptors has a google.api.http rule");
  checkAccessLog(
    file.accessLog,
    routes.map(({ name }) => name),
  );
  const addresses = new Map([...file.upstreams, ...options.upstreams]);
  const channels = createChannels((address) => openChannel(address));
  onStop("channels", () => channels.closeAll());
  const upstreams = new Map(
    routes.map(({ rpc }) => {
      const service = rpc.parent.typeName;
      const address = addresses.get(service);
      if (address === undefined)
        throw new Error(`say where ${service} is: --upstream ${service}=dns:///host:port`);
      return [service, channels.open(address)] as const;
    }),
  );

  const rules = indexRules(
    options.rates === undefined ? [] : parseRules(parse(await readFile(options.rates, "utf8"))),
    routes,
  );
  const telemetry = createTelemetry(metrics);
  const title = routes[0]?.rpc.parent.file.proto.package ?? "API";
  const context = {
    version: "run",
    routes: { routes, find },
    rules,
    upstreams,
    limiter: createLimiter({
      redis: openBuckets(options.redis, life),
      local: createLocalBuckets(1),
      onDryRun: ({ name }) => telemetry.rateDryRun(name),
      onRedisAnswer: (seconds) => telemetry.redisAnswered(seconds),
      onRedisFailure: () => {
        if (options.redis !== undefined) telemetry.redisFailed();
      },
    }),
    identities: openIdentities(options.issuer, log, signal),
    cookies: file.cookies,
    consistency: file.consistency,
    origins: file.origins,
    clientAddress: createClientAddress(file.trustedProxies),
    strictTransportSecurity: file.strictTransportSecurity,
    cors: file.cors,
    metadata: file.metadata,
    accessLog: file.accessLog,
    retries: createRetryBudget(),
    compressFromBytes: file.compressFromBytes,
    pages: createPages(
      describeRoutes({
        registry,
        routes,
        rules,
        settings: file.openapi ?? { title, version: "1" },
        accessCookie: file.cookies.get("access")?.name,
        consistency: file.consistency !== undefined,
      }),
    ),
    maxBodyBytes: 1_048_576,
    maxInFlight: 2_000,
    log,
    telemetry,
  };
  const server = await startServer(() => context, {
    host: options.host,
    port: options.port,
    http2Streams: 100,
    tls: undefined,
  });
  onStop("http", () => server.close(config.SHUTDOWN_GRACE_MS));
  return `${routeTable(routes, rules)}\n\nhttp://${options.host}:${server.port} serves these, and /docs to try them\n`;
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

function openIdentities(
  issuer: RunAloneOptions["issuer"],
  log: Lifecycle<unknown>["log"],
  signal: AbortSignal,
): Identities {
  if (issuer === undefined) return { known: () => undefined, find: () => Promise.resolve(undefined) };
  const keys = createKeySet({ url: issuer.jwks, log });
  void keys.keepFresh(signal);
  const tokens = createAccessTokens({
    keys,
    issuer: issuer.issuer,
    audience: issuer.audience,
    type: issuer.type,
    subject: "text",
  });
  // Nobody tells of sessions that ended: a token is good until it expires.
  return createIdentities(tokens, { isKnownLive: () => true, check: () => Promise.resolve(true) });
}
