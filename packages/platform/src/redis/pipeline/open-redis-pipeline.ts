import type { Logger } from "../../log/index.ts";
import { createClusterRoutes } from "./cluster-routes.ts";
import { type Connection, createConnection } from "./connection.ts";
import { type Args, encodeCommand } from "./encode-command.ts";
import { parseRedirect, parseRedisUrl, type NodeAddress } from "./redis-url.ts";
import { RedisError, type Reply } from "./reply-parser.ts";
import { createSingleRoute, type Routes } from "./routes.ts";
import { slotOf } from "./slot.ts";

/** Commands that are encoded when they leave, so that a batch of thousands makes no objects of them. */
export interface CommandBatch {
  readonly size: number;
  /** Commands that `encode` makes for each item, for MULTI … EXEC. The item's reply is its first error, or its last reply. */
  readonly commandsEach?: number;
  /** The hash slot of an item's keys; asked in a cluster only. See `slotOfTag`. */
  slot(at: number): number;
  /** An item as RESP, one character for each byte; `encodeCommand` makes it. May be asked again when it moved. */
  encode(at: number): string;
}

/**
 * Commands for Redis or a Redis Cluster, in pipelines over one connection to each master.
 *
 * What is called in one turn of the event loop leaves in one write for each node. Nothing is sent twice, but what a
 * node refused because its slot is elsewhere. Calls wait for a connection or their turn, no longer than the timeout;
 * so a slow Redis slows its callers down, and memory is bounded by what they give at once.
 */
export interface RedisPipeline {
  /** Whether keys are spread over nodes, so that those of one command must share a slot. */
  readonly isCluster: boolean;
  /**
   * Runs a batch, in its order on each node. Resolves to one reply for each item, in which a command's error is a value;
   * rejects when a node could not be asked or its answer was lost: then each item may have been done or not.
   */
  run(batch: CommandBatch): Promise<Reply[]>;
  /** Runs one command on the node of `key`. Rejects also with the command's error. */
  call(key: string, args: Args): Promise<Reply>;
  /** `host:port` of the node that a command for the key leaves for at once; undefined when it would have to wait. */
  readyNode(key: string): string | undefined;
  /** Fails what waits, and ends the connections. */
  close(): void;
}

export interface OpenRedisPipelineOptions {
  /** `redis://user:password@host:port/database`, or `redis-cluster://user:password@host:port,host:port`; `rediss…` for TLS. */
  readonly url: string;
  readonly log: Logger;
  /** The connections' name in CLIENT LIST and in the log. */
  readonly name: string;
  /** After how long a command fails, in milliseconds, be it waiting for a connection or for its reply. Default: 2,000. */
  readonly commandTimeoutMs?: number;
  /** Commands that may be under way to one node; the next batch waits. Default: 10,000. */
  readonly maxInFlight?: number;
}

const againMs = 50;

/** Opens at once, and again whenever a connection is lost, for ever. Throws only when the URL is none. */
export function openRedisPipeline(options: OpenRedisPipelineOptions): RedisPipeline {
  const place = parseRedisUrl(options.url);
  if (place === undefined) throw new Error("not a URL of Redis");
  const { log, name, commandTimeoutMs: timeoutMs = 2_000, maxInFlight = 10_000 } = options;
  const { tls, username, password, database } = place;
  const shared = { tls, username, password, database, name, timeoutMs, maxInFlight, log };
  const [first] = place.nodes;
  if (first === undefined) throw new Error("not a URL of Redis");
  const routes = place.cluster
    ? createClusterRoutes({
        seeds: place.nodes,
        connect: (address, onDown) => createConnection({ ...shared, ...address, onDown }),
      })
    : createSingleRoute(createConnection({ ...shared, ...first }));
  return createPipeline(routes, timeoutMs);
}

function createPipeline(routes: Routes, timeoutMs: number): RedisPipeline {
  async function run(batch: CommandBatch): Promise<Reply[]> {
    const replies: Reply[] = Array.from({ length: batch.size });
    const dueMs = performance.now() + timeoutMs;
    let refused = await sendAll(batch, undefined, replies);
    while (refused.length > 0) {
      if (performance.now() > dueMs)
        throw new Error(`redis has no node for a command: ${describe(replies[refused[0] ?? 0])}`);
      refused = await sendAgain(batch, refused, replies);
    }
    return replies;
  }

  /** Sends the items given (undefined: all) to their nodes; gives those that are to be sent elsewhere. */
  async function sendAll(
    batch: CommandBatch,
    items: readonly number[] | undefined,
    replies: Reply[],
  ): Promise<number[]> {
    if (batch.size === 0) return [];
    if (routes.single) {
      const connection = routes.connectionOf(0);
      return connection === undefined ? [] : send(connection, batch, items, replies);
    }
    const groups = new Map<Connection, number[]>();
    const nowhere: number[] = [];
    const put = (at: number): void => {
      const connection = routes.connectionOf(batch.slot(at));
      if (connection === undefined) {
        nowhere.push(at);
        return;
      }
      const group = groups.get(connection);
      if (group === undefined) groups.set(connection, [at]);
      else group.push(at);
    };
    if (items !== undefined) for (const at of items) put(at);
    else for (let at = 0; at < batch.size; at += 1) put(at);
    const refused = await Promise.all(
      [...groups].map(([connection, group]) => send(connection, batch, group, replies)),
    );
    if (nowhere.length > 0) {
      routes.refresh();
      for (const at of nowhere) replies[at] = new RedisError("CLUSTERDOWN no node is known for the slot");
    }
    return [...nowhere, ...refused.flat()];
  }

  /** Follows what the nodes said of each item. */
  async function sendAgain(
    batch: CommandBatch,
    items: readonly number[],
    replies: Reply[],
  ): Promise<number[]> {
    const elsewhere: number[] = [];
    const asked: Promise<number[]>[] = [];
    let pause = false;
    for (const at of items) {
      const [code, slot, address] = describe(replies[at]).split(" ");
      const from = routes.connectionOf(batch.slot(at))?.address ?? "";
      if (address !== undefined && (code === "MOVED" || code === "ASK")) {
        const target = parseRedirect(address, hostOf(from));
        if (code === "MOVED") routes.moved(Number(slot), target);
        // Half of a transaction cannot be asked for: it waits until the slot has moved.
        else if ((batch.commandsEach ?? 1) > 1) pause = true;
        else {
          asked.push(send(routes.connectionTo(target), batch, [at], replies, asking));
          continue;
        }
      } else {
        pause = true;
        routes.refresh();
      }
      elsewhere.push(at);
    }
    if (pause) await new Promise((resolve) => setTimeout(resolve, againMs));
    const refused = await Promise.all([sendAll(batch, elsewhere, replies), ...asked]);
    return refused.flat();
  }

  return {
    isCluster: !routes.single,
    run,
    async call(key, args) {
      const [reply = null] = await run({
        size: 1,
        slot: () => slotOf(key),
        encode: () => encodeCommand(args),
      });
      if (reply instanceof RedisError) throw reply;
      return reply;
    },
    readyNode(key) {
      const connection = routes.connectionOf(routes.single ? 0 : slotOf(key));
      return connection?.ready === true ? connection.address : undefined;
    },
    close: () => routes.close(),
  };
}

const asking = encodeCommand(["ASKING"]);

/** Sends items to one node; gives those that it refused to serve. `before` is a command in front of each. */
function send(
  connection: Connection,
  batch: CommandBatch,
  items: readonly number[] | undefined,
  replies: Reply[],
  before = "",
): Promise<number[]> {
  const count = items === undefined ? batch.size : items.length;
  const each = (batch.commandsEach ?? 1) + (before === "" ? 0 : 1);
  return new Promise((resolve, reject) => {
    const refused: number[] = [];
    let item = 0;
    let command = 0;
    let error: RedisError | undefined;
    connection.send({
      replies: count * each,
      encode(write) {
        for (let i = 0; i < count; i += 1)
          write(before + batch.encode(items === undefined ? i : (items[i] ?? 0)));
      },
      take(reply) {
        if (typeof reply === "object" && reply instanceof RedisError) error ??= reply;
        command += 1;
        if (command < each) return;
        const at = items === undefined ? item : (items[item] ?? 0);
        replies[at] = error ?? reply;
        if (error !== undefined && isRefusal(error)) refused.push(at);
        item += 1;
        command = 0;
        error = undefined;
      },
      done: () => resolve(refused),
      fail: reject,
    });
  });
}

/** The node did nothing, and said so because of the state of the cluster. */
function isRefusal({ message }: RedisError): boolean {
  return /^(?:MOVED|ASK|TRYAGAIN|CLUSTERDOWN) /.test(message);
}

function describe(reply: Reply | undefined): string {
  return reply instanceof RedisError ? reply.message : "";
}

function hostOf(address: string): NodeAddress {
  return { host: address.slice(0, address.lastIndexOf(":")), port: 0 };
}
