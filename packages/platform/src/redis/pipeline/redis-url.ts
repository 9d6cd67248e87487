/** Where Redis is, and who we are there. */
export interface RedisPlace {
  readonly cluster: boolean;
  readonly tls: boolean;
  readonly username: string | undefined;
  readonly password: string | undefined;
  /** One server, or some nodes of a cluster from which the others are learned. */
  readonly nodes: readonly NodeAddress[];
  /** Logical database; 0 in a cluster. */
  readonly database: number;
}

export interface NodeAddress {
  readonly host: string;
  readonly port: number;
}

const pattern =
  /^(redis|rediss|redis-cluster|rediss-cluster):\/\/(?:([^:@/]*)(?::([^@/]*))?@)?([^/?#@]+)(?:\/(\d{1,4})?)?$/;
const nodePattern = /^(?:\[([0-9A-Fa-f:.]+)\]|([^\s:[\]]+))(?::(\d{1,5}))?$/;
const defaultPort = 6379;

/**
 * Reads `redis://user:password@host:port/database` or, for a cluster, `redis-cluster://user:password@host:port,host:port`;
 * with an `s` as in `rediss` over TLS. Undefined when it is neither.
 */
export function parseRedisUrl(url: string): RedisPlace | undefined {
  const [, scheme, username, password, hosts, database] = pattern.exec(url) ?? [];
  if (scheme === undefined || hosts === undefined) return undefined;
  const cluster = scheme.endsWith("-cluster");
  const nodes = hosts.split(",").map(parseNode);
  if (cluster ? database !== undefined : nodes.length > 1) return undefined;
  if (!nodes.every((node) => node !== undefined)) return undefined;
  return {
    cluster,
    tls: scheme.startsWith("rediss"),
    username: username && decodeURIComponent(username),
    password: password && decodeURIComponent(password),
    nodes,
    database: Number(database ?? 0),
  };
}

function parseNode(text: string): NodeAddress | undefined {
  const [, v6, name, digits] = nodePattern.exec(text) ?? [];
  const host = v6 ?? name;
  const port = digits === undefined ? defaultPort : Number(digits);
  return host === undefined || port < 1 || port > 65_535 ? undefined : { host, port };
}

/** Reads `host:port` as a cluster writes it; an empty host is that of the node that wrote it. */
export function parseRedirect(text: string, from: NodeAddress): NodeAddress {
  const colon = text.lastIndexOf(":");
  const host = text.slice(0, colon).replace(/^\[(.*)\]$/, "$1");
  return { host: host === "" ? from.host : host, port: Number(text.slice(colon + 1)) };
}
