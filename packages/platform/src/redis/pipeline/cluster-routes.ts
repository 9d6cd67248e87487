import type { Connection } from "./connection.ts";
import { encodeCommand } from "./encode-command.ts";
import type { NodeAddress } from "./redis-url.ts";
import { RedisError, type Reply } from "./reply-parser.ts";
import type { Routes } from "./routes.ts";
import { slotCount } from "./slot.ts";

export interface ClusterRoutesOptions {
  /** Nodes to ask when no master is connected. */
  readonly seeds: readonly NodeAddress[];
  /** Connects to a node, and tells when that is lost. */
  connect(address: NodeAddress, onDown: () => void): Connection;
}

interface Range {
  readonly first: number;
  readonly last: number;
  readonly master: NodeAddress;
  readonly replicas: readonly NodeAddress[];
}

/** How long to wait before the map is asked for again while something is wrong with it. */
const againMs = 250;

/**
 * The map of a cluster, kept true: learned from any node at the start, corrected by what nodes say (MOVED), and learned
 * anew whenever a master is out of reach until all masters of the map are connected. Connections are to masters only.
 */
export function createClusterRoutes({ seeds, connect }: ClusterRoutesOptions): Routes {
  const table: (Connection | undefined)[] = Array.from({ length: slotCount });
  const masters = new Map<string, Connection>();
  let known: readonly NodeAddress[] = seeds;
  let refreshing = false;
  let again = false;
  let timer: NodeJS.Timeout | undefined;
  let closed = false;

  const keyOf = ({ host, port }: NodeAddress): string => `${host}:${port}`;

  function connectionTo(address: NodeAddress): Connection {
    const key = keyOf(address);
    let connection = masters.get(key);
    if (connection === undefined) {
      connection = connect(address, refresh);
      masters.set(key, connection);
    }
    return connection;
  }

  function take(ranges: readonly Range[]): void {
    const before = new Set(masters.values());
    const serving = new Set<Connection>();
    table.fill(undefined);
    for (const { first, last, master } of ranges) {
      const connection = connectionTo(master);
      serving.add(connection);
      table.fill(connection, first, last + 1);
    }
    known = [
      ...new Map(
        ranges.flatMap(({ master, replicas }) => [master, ...replicas]).map((node) => [keyOf(node), node]),
      ).values(),
    ];
    for (const [key, connection] of masters) {
      // What waits for a node that serves nothing any more waits in vain.
      if (serving.has(connection) || !before.has(connection)) continue;
      masters.delete(key);
      connection.close();
    }
  }

  async function learn(): Promise<boolean> {
    for (const connection of masters.values()) {
      if (connection.ready && (await learnFrom(connection, hostOf(connection.address)))) return true;
    }
    for (const address of [...known, ...seeds]) {
      if (closed) return true;
      if (masters.get(keyOf(address))?.ready === true) continue;
      const passing = connect(address, () => passing.close());
      const learned = await learnFrom(passing, address.host);
      passing.close();
      if (learned) return true;
    }
    return false;
  }

  async function learnFrom(connection: Connection, host: string): Promise<boolean> {
    const ranges = readRanges(await ask(connection, ["CLUSTER", "SLOTS"]), host);
    // A node that was never told of the others knows no slots.
    if (ranges.length === 0 || closed) return false;
    take(ranges);
    return true;
  }

  function refresh(): void {
    if (refreshing || closed) {
      again = true;
      return;
    }
    refreshing = true;
    again = false;
    void learn().then((learned) => {
      refreshing = false;
      if (closed) return;
      const whole = learned && !again && [...masters.values()].every(({ ready }) => ready);
      if (!whole) timer ??= setTimeout(onTimer, againMs);
    });
  }

  function onTimer(): void {
    timer = undefined;
    refresh();
  }

  refresh();
  return {
    single: false,
    connectionOf: (slot) => table[slot],
    connectionTo,
    moved(slot, address) {
      table[slot] = connectionTo(address);
      refresh();
    },
    refresh,
    close() {
      closed = true;
      clearTimeout(timer);
      for (const connection of masters.values()) connection.close();
    },
  };
}

const hostOf = (address: string): string => address.slice(0, address.lastIndexOf(":"));

/** Resolves to null when there is no answer. */
function ask(connection: Connection, args: readonly string[]): Promise<Reply> {
  return new Promise((resolve) => {
    connection.send({
      replies: 1,
      encode: (write) => write(encodeCommand(args)),
      take: (reply) => resolve(reply),
      done: () => undefined,
      fail: () => resolve(null),
    });
  });
}

/** Reads CLUSTER SLOTS: [first, last, [host, port, …], …replicas]. A node that does not know its host is `host`. */
function readRanges(reply: Reply, host: string): Range[] {
  if (!Array.isArray(reply) || reply instanceof RedisError) return [];
  return (reply as readonly Reply[]).flatMap((range) => {
    if (!Array.isArray(range)) return [];
    const [first, last, ...nodes] = range as readonly Reply[];
    const [master, ...replicas] = nodes.flatMap((node) => readNode(node, host));
    if (typeof first !== "number" || typeof last !== "number" || master === undefined) return [];
    return [{ first, last, master, replicas }];
  });
}

function readNode(node: Reply, self: string): NodeAddress[] {
  if (!Array.isArray(node)) return [];
  const [host, port] = node as readonly Reply[];
  if (typeof port !== "number") return [];
  return [{ host: typeof host === "string" && host !== "" && host !== "?" ? host : self, port }];
}
