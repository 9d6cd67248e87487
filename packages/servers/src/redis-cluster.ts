import { join } from "node:path";
import { freePort } from "./ports.ts";
import { redisCommand } from "./redis-command.ts";
import { type RedisOptions, type RedisServer, startRedis } from "./redis.ts";

/** After so long without an answer a node is taken for dead, and a replica of it is elected. */
const nodeTimeoutMs = 2_000;
const slots = 16_384;
const formsWithinMs = 30_000;

export interface RedisClusterNodeOptions extends RedisOptions {
  /** Port of the cluster's own traffic. Redis's default, port + 10,000, may lie beyond the last port. */
  readonly busPort: number;
}

/** Starts one node; {@link formRedisCluster} makes a cluster of several. */
export function startRedisClusterNode(options: RedisClusterNodeOptions): Promise<RedisServer> {
  return startRedis({
    ...options,
    settings: {
      "cluster-enabled": "yes",
      "cluster-config-file": "nodes.conf",
      "cluster-node-timeout": String(nodeTimeoutMs),
      "cluster-port": String(options.busPort),
      // The other slots go on while one master is replaced.
      "cluster-require-full-coverage": "no",
      // A replica of a cache always beats no master at all, however long it was cut off.
      "cluster-replica-validity-factor": "0",
      "cluster-allow-replica-migration": "no",
      "repl-diskless-sync": "yes",
      "repl-diskless-sync-delay": "0",
      ...(options.password === undefined ? {} : { masterauth: options.password }),
      ...options.settings,
    },
  });
}

export interface ClusterNode {
  readonly port: number;
  readonly busPort: number;
}

async function until(what: string, condition: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + formsWithinMs;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`Redis Cluster: ${what} took more than ${formsWithinMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/**
 * Makes a cluster of empty nodes: the first `masters` share the slots evenly, the others become their
 * replicas in turn. Resolves when every node sees the whole cluster and every replica has its master's data;
 * a master may die from then on.
 */
export async function formRedisCluster(options: {
  readonly nodes: readonly ClusterNode[];
  readonly masters: number;
  readonly password?: string;
}): Promise<void> {
  const { nodes, masters, password } = options;
  const command = (node: ClusterNode, ...args: string[]): Promise<string> =>
    redisCommand({ port: node.port, ...(password === undefined ? {} : { password }) }, ...args);
  const every = async (condition: (node: ClusterNode) => Promise<boolean>): Promise<boolean> =>
    (await Promise.all(nodes.map(condition))).every(Boolean);
  const [first, ...others] = nodes;
  if (first === undefined || nodes.length < masters) throw new Error("too few nodes for a cluster");

  // Distinct epochs beforehand: nodes that meet with equal ones would first have to settle who yields.
  await Promise.all(nodes.map((node, at) => command(node, "CLUSTER", "SET-CONFIG-EPOCH", String(at + 1))));
  for (const { port, busPort } of others) {
    await command(first, "CLUSTER", "MEET", "127.0.0.1", String(port), String(busPort));
  }
  const leaders = nodes.slice(0, masters);
  const border = (at: number): number => Math.floor((slots * at) / masters);
  await Promise.all(
    leaders.map((node, at) =>
      command(node, "CLUSTER", "ADDSLOTSRANGE", String(border(at)), String(border(at + 1) - 1)),
    ),
  );
  await until("meeting", () =>
    every(async (node) =>
      (await command(node, "CLUSTER", "INFO")).includes(`cluster_known_nodes:${nodes.length}\r`),
    ),
  );
  const followers = nodes.slice(masters);
  await Promise.all(
    followers.map(async (node, at) => {
      const id = await command(leaders[at % masters] ?? first, "CLUSTER", "MYID");
      await until("finding a master", async () => (await command(node, "CLUSTER", "NODES")).includes(id));
      await command(node, "CLUSTER", "REPLICATE", id);
    }),
  );
  await until("agreeing on the slots", () =>
    every(async (node) => (await command(node, "CLUSTER", "INFO")).includes("cluster_state:ok")),
  );
  await until("copying to the replicas", async () => {
    const links = followers.map((node) => command(node, "INFO", "replication"));
    return (await Promise.all(links)).every((text) => text.includes("master_link_status:up"));
  });
  // A master that nobody has told of its replica is not replaced when it dies.
  await until("learning of the replicas", () =>
    every(
      async (node) =>
        (await command(node, "CLUSTER", "NODES")).split("\n").filter((line) => / (myself,)?slave /.test(line))
          .length === followers.length,
    ),
  );
}

export interface RedisCluster {
  /** Masters first, as they were at the start. */
  readonly nodes: readonly RedisServer[];
  /** `host:port` of each node. */
  readonly addresses: readonly string[];
  stop(): Promise<void>;
}

/** Starts a whole cluster on free ports of 127.0.0.1, by default of 3 masters and 3 replicas. */
export async function startRedisCluster(options: {
  /** Each node has a folder in it. */
  readonly dataDir: string;
  readonly logDir: string;
  readonly masters?: number;
  readonly replicasEach?: number;
  readonly password?: string;
  readonly settings?: Readonly<Record<string, string>>;
}): Promise<RedisCluster> {
  const { dataDir, logDir, masters = 3, replicasEach = 1, password, settings } = options;
  const secret = password === undefined ? {} : { password };
  const places: ClusterNode[] = [];
  for (let at = 0; at < masters * (1 + replicasEach); at += 1) {
    places.push({ port: await freePort(), busPort: await freePort() });
  }
  const started = await Promise.allSettled(
    places.map((place, at) =>
      startRedisClusterNode({
        ...place,
        dataDir: join(dataDir, `node-${at + 1}`),
        logFile: join(logDir, `node-${at + 1}.log`),
        ...secret,
        ...(settings === undefined ? {} : { settings }),
      }),
    ),
  );
  const nodes = started.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
  const stop = async (): Promise<void> => void (await Promise.all(nodes.map((node) => node.stop())));
  try {
    for (const one of started) if (one.status === "rejected") throw one.reason;
    await formRedisCluster({ nodes: places, masters, ...secret });
  } catch (error) {
    await stop();
    throw error;
  }
  return { nodes, addresses: places.map(({ port }) => `127.0.0.1:${port}`), stop };
}
