import { lookup } from "node:dns/promises";
import { isIP } from "node:net";

/** Where a server listens. */
export interface Address {
  readonly host: string;
  readonly port: number;
}

/** What a channel is opened to. */
export interface Target {
  /** The `:authority` of its calls. */
  readonly authority: string;
  /** Whether its addresses can change. */
  readonly isName: boolean;
  resolve(): Promise<readonly Address[]>;
}

const defaultPort = 443;

/**
 * Reads "host:port", "dns:///host:port", "ipv4:address:port,…" and "ipv6:[address]:port,…"
 * (https://github.com/grpc/grpc/blob/master/doc/naming.md). Throws TypeError for anything else.
 *
 * Why names are looked up and not resolved: only the system's own resolver knows its hosts file and search domains.
 */
export function readTarget(target: string): Target {
  const list = /^ipv[46]:(?!\/\/)(.+)$/.exec(target)?.[1];
  if (list !== undefined) {
    const addresses = list.split(",").map((each) => hostAndPort(each, target));
    return { authority: list.split(",")[0] ?? list, isName: false, resolve: async () => addresses };
  }
  const name = target.replace(/^dns:(?:\/\/[^/]*\/)?/, "");
  const address = hostAndPort(name, target);
  if (isIP(address.host) !== 0) {
    return { authority: name, isName: false, resolve: async () => [address] };
  }
  return {
    authority: name,
    isName: true,
    async resolve() {
      const found = await lookup(address.host, { all: true });
      return found.map(({ address: host }) => ({ host, port: address.port }));
    },
  };
}

function hostAndPort(text: string, target: string): Address {
  const match = /^(?:\[([^\]]+)\]|([^:/[\]]+))(?::(\d{1,5}))?$/.exec(text);
  const host = match?.[1] ?? match?.[2];
  const port = match?.[3] === undefined ? defaultPort : Number(match[3]);
  if (host === undefined || port > 65_535) throw new TypeError(`not a target: ${JSON.stringify(target)}`);
  return { host, port };
}
