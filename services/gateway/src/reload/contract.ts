import type { Channel } from "@chirrup/grpc";
import { loadFiles, type Config } from "../config.ts";
import type { Context } from "../context.ts";
import { checkAccessLog } from "../http/access-log.ts";
import { createClientAddress } from "../identity/client-address.ts";
import { indexRules } from "../limits/rules.ts";
import { describeRoutes } from "../openapi/document.ts";
import { createPages } from "../openapi/pages.ts";
import { buildRouteTable, type Route } from "../routing/route-table.ts";
import type { Channels } from "./channels.ts";

/** What the files decide of a context. */
type FromFiles =
  | "version"
  | "routes"
  | "rules"
  | "upstreams"
  | "cookies"
  | "consistency"
  | "origins"
  | "clientAddress"
  | "strictTransportSecurity"
  | "cors"
  | "metadata"
  | "accessLog"
  | "compressFromBytes"
  | "pages";

export type Contract = Pick<Context, FromFiles>;

/** Reads and checks the files whole. Throws an Error with the reason when one of them cannot be served. */
export async function loadContract(
  config: Pick<Config, "GATEWAY_CONFIG" | "RATE_RULES" | "DESCRIPTORS" | "DEADLINE_MS">,
  channels: Channels,
): Promise<Contract> {
  const { version, gateway, rules, descriptors } = await loadFiles(config);
  const routes = buildRouteTable(descriptors, {
    defaultDeadlineMs: config.DEADLINE_MS,
    cookieNames: new Set(gateway.cookies.keys()),
  });
  const index = indexRules(rules, routes.routes);
  checkAccessLog(
    gateway.accessLog,
    routes.routes.map(({ name }) => name),
  );
  const clientAddress = createClientAddress(gateway.trustedProxies);
  const addresses = addressesOf(routes.routes, gateway.upstreams);
  return {
    version,
    routes,
    rules: index,
    clientAddress,
    upstreams: new Map<string, Channel>(
      [...addresses].map(([service, address]) => [service, channels.open(address)]),
    ),
    cookies: gateway.cookies,
    consistency: gateway.consistency,
    origins: gateway.origins,
    strictTransportSecurity: gateway.strictTransportSecurity,
    cors: gateway.cors,
    metadata: gateway.metadata,
    accessLog: gateway.accessLog,
    compressFromBytes: gateway.compressFromBytes,
    pages:
      gateway.openapi === undefined
        ? new Map()
        : createPages(
            describeRoutes({
              registry: descriptors,
              routes: routes.routes,
              rules: index,
              settings: gateway.openapi,
              accessCookie: gateway.cookies.get("access")?.name,
              consistency: gateway.consistency !== undefined,
            }),
          ),
  };
}

/** The address of every service that has a route. */
function addressesOf(
  routes: readonly Route[],
  upstreams: ReadonlyMap<string, string>,
): ReadonlyMap<string, string> {
  return new Map(
    routes.map(({ rpc }) => {
      const service = rpc.parent.typeName;
      const address = upstreams.get(service);
      if (address === undefined)
        throw new Error(`${service} has routes, but the gateway file names no upstream for it`);
      return [service, address];
    }),
  );
}
