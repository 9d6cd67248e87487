import type { Channel } from "@chirrup/grpc";
import { loadFiles, type FilePaths } from "../config.ts";
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

export interface ContractOptions {
  readonly channels: Channels;
  /** How long a call may take when its route says nothing. */
  readonly defaultDeadlineMs: number;
  /** Every route is public, whatever the protos say. Default: false. */
  readonly everybodyMayCall?: boolean;
  /** Addresses that come before the gateway file's. */
  readonly upstreams?: ReadonlyMap<string, string>;
  /** Whether the API is described and its page served when the gateway file does not say so. Default: false. */
  readonly alwaysDescribed?: boolean;
}

/** Reads and checks the files whole. Throws an Error with the reason when one of them cannot be served. */
export async function loadContract(paths: FilePaths, options: ContractOptions): Promise<Contract> {
  const { version, gateway, rules, descriptors } = await loadFiles(paths);
  const routes = buildRouteTable(descriptors, {
    defaultDeadlineMs: options.defaultDeadlineMs,
    cookieNames: new Set(gateway.cookies.keys()),
    everybodyMayCall: options.everybodyMayCall ?? false,
  });
  const index = indexRules(rules, routes.routes);
  checkAccessLog(
    gateway.accessLog,
    routes.routes.map(({ name }) => name),
  );
  const clientAddress = createClientAddress(gateway.trustedProxies);
  const services = new Set(routes.routes.map(({ rpc }) => rpc.parent.typeName));
  const idle = [...(options.upstreams?.keys() ?? [])].find((service) => !services.has(service));
  if (idle !== undefined)
    throw new Error(`the descriptors have no service ${idle} with a google.api.http rule`);
  const addresses = addressesOf(routes.routes, new Map([...gateway.upstreams, ...(options.upstreams ?? [])]));
  const title = routes.routes[0]?.rpc.parent.file.proto.package ?? "API";
  const openapi = gateway.openapi ?? (options.alwaysDescribed === true ? { title, version: "1" } : undefined);
  return {
    version,
    routes,
    rules: index,
    clientAddress,
    upstreams: new Map<string, Channel>(
      [...addresses].map(([service, address]) => [service, options.channels.open(address)]),
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
      openapi === undefined
        ? new Map()
        : createPages(
            describeRoutes({
              registry: descriptors,
              routes: routes.routes,
              rules: index,
              settings: openapi,
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
        throw new Error(`${service} has routes, but no upstream: say where it is, as dns:///host:port`);
      return [service, address];
    }),
  );
}
