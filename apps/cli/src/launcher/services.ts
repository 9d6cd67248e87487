import { join } from "node:path";
import type { DatabaseName, DatabaseUrls } from "./databases.ts";
import type { UpOptions } from "./options.ts";
import { repositoryRoot } from "./paths.ts";
import type { Secrets } from "./secrets.ts";

/** The Node processes of the platform, in the order in which they stop. */
export const serviceNames = ["gateway", "feed", "follow", "post", "user", "relay"] as const;
export type ServiceName = (typeof serviceNames)[number];

/** The ports of one service: gRPC (or the gateway's public one) and HTTP for health and metrics. */
export interface ServicePorts {
  readonly main: number;
  readonly admin: number;
}

export interface ServiceInputs {
  readonly options: UpOptions;
  readonly secrets: Secrets;
  readonly peerSecret: string;
  readonly ports: Readonly<Record<ServiceName, ServicePorts>>;
  readonly databases: DatabaseUrls;
  readonly cacheUrl: string;
  readonly eventLogUrl: string;
}

export interface ServiceSpec {
  readonly name: ServiceName;
  readonly entry: string;
  readonly url: string;
  readonly readyUrl: string;
  readonly env: Readonly<Record<string, string>>;
}

const local = (port: number): string => `127.0.0.1:${port}`;

function databaseSettings(
  name: DatabaseName,
  { databases: { service, replica }, secrets }: ServiceInputs,
): Record<string, string> {
  return {
    DATABASE_URL: service[name],
    CONSISTENCY_SECRET: secrets.consistency,
    ...(replica === undefined ? {} : { DATABASE_REPLICA_URL: replica[name] }),
  };
}

function ownSettings(name: ServiceName, inputs: ServiceInputs): Record<string, string> {
  const { secrets, ports, databases, cacheUrl, eventLogUrl, options } = inputs;
  const addresses = {
    USER_SERVICE: local(ports.user.main),
    FOLLOW_SERVICE: local(ports.follow.main),
    POST_SERVICE: local(ports.post.main),
    FEED_SERVICE: local(ports.feed.main),
  };
  const tokens = { TOKEN_ISSUER: "chirrup-local", TOKEN_AUDIENCE: "chirrup-local" };
  switch (name) {
    case "user":
      return {
        ...tokens,
        ...databaseSettings("user", inputs),
        SIGNING_KEY_SECRET: secrets.signingKey,
        REFRESH_SECRET: secrets.refresh,
        CURSOR_SECRET: secrets.cursor,
      };
    case "follow":
      return {
        ...databaseSettings("follow", inputs),
        EVENT_LOG_URL: eventLogUrl,
        CURSOR_SECRET: secrets.cursor,
        USER_SERVICE: addresses.USER_SERVICE,
        ...(options.celebrityThreshold === undefined
          ? {}
          : { CELEBRITY_THRESHOLD: String(options.celebrityThreshold) }),
      };
    case "post":
      return {
        ...databaseSettings("post", inputs),
        EVENT_LOG_URL: eventLogUrl,
        CURSOR_SECRET: secrets.cursor,
        USER_SERVICE: addresses.USER_SERVICE,
      };
    case "feed":
      return {
        ...addresses,
        REDIS_URL: cacheUrl,
        EVENT_LOG_URL: eventLogUrl,
        CURSOR_SECRET: secrets.cursor,
      };
    case "gateway":
      return {
        ...tokens,
        ...addresses,
        REDIS_URL: cacheUrl,
        JWKS_URL: `http://${local(ports.user.admin)}/.well-known/jwks.json`,
        DESCRIPTORS: join(repositoryRoot, "proto", "gen", "chirrup.binpb"),
        GATEWAY_CONFIG: join(repositoryRoot, "services", "gateway", "config", "gateway.local.yaml"),
        RATE_RULES: join(repositoryRoot, "services", "gateway", "config", "rates.local.yaml"),
      };
    case "relay":
      return {
        EVENT_LOG_URL: eventLogUrl,
        SOURCES: Object.entries(databases.reader)
          .map(([source, url]) => `${source}=${url}`)
          .join(","),
      };
  }
}

/** How to start one service: the program, its settings and where it says that it is ready. */
export function describeService(name: ServiceName, inputs: ServiceInputs): ServiceSpec {
  const { main, admin } = inputs.ports[name];
  const isGateway = name === "gateway";
  const folder = name === "relay" ? "apps" : "services";
  return {
    name,
    entry: join(repositoryRoot, folder, name, "src", "main.ts"),
    url: isGateway
      ? `http://${local(main)}`
      : name === "relay"
        ? `http://${local(admin)}`
        : `grpc://${local(main)}`,
    readyUrl: `http://${local(admin)}/readyz`,
    env: {
      HOST: "127.0.0.1",
      LOG_LEVEL: process.env["LOG_LEVEL"] ?? "info",
      LOG_FORMAT: "json",
      PEER_SECRET: inputs.peerSecret,
      CHIRRUP_SUPERVISED: "1",
      ...(isGateway
        ? { HTTP_PORT: String(main), ADMIN_PORT: String(admin) }
        : name === "relay"
          ? { HTTP_PORT: String(admin) }
          : { GRPC_PORT: String(main), HTTP_PORT: String(admin) }),
      ...ownSettings(name, inputs),
    },
  };
}
