import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type RedisCluster, startRedisCluster } from "@chirrup/servers";
import { testLog, waitFor } from "@chirrup/testkit";
import { Redis } from "ioredis";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  encodeCommand,
  openRedisPipeline,
  type RedisPipeline,
  type RedisReply,
  slotOf,
} from "../../src/index.ts";

const password = "not-to-be-guessed";
const keys = Array.from({ length: 3_000 }, (_, at) => `{${at}}`);
let folder: string;
let cluster: RedisCluster;
let nodes: Redis[];
let redis: RedisPipeline;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "chirrup-pipeline-cluster-"));
  cluster = await startRedisCluster({ dataDir: folder, logDir: folder, password });
  nodes = cluster.nodes.map(({ url }) => new Redis(url, { retryStrategy: () => 100 }));
  for (const node of nodes) node.on("error", () => undefined);
  // One node is enough, here a replica; the other address is nobody's.
  const seeds = `127.0.0.1:1,${cluster.addresses[5]}`;
  redis = openRedisPipeline({
    url: `redis-cluster://:${password}@${seeds}`,
    log: testLog(),
    name: "a-test",
    commandTimeoutMs: 20_000,
  });
});
afterAll(async () => {
  redis.close();
  for (const node of nodes) node.disconnect();
  await cluster.stop();
  await rm(folder, { recursive: true, force: true });
});

function onAll(...args: string[]): Promise<RedisReply[]> {
  const [command = "", ...rest] = args;
  return redis.run({
    size: keys.length,
    slot: (at) => slotOf(keys[at]!),
    encode: (at) => encodeCommand([command, keys[at]!, ...rest]),
  });
}

/** The node whose slot a key is, and another master. */
async function placeOf(
  key: string,
): Promise<{ slot: number; from: Redis; to: Redis; fromId: string; toId: string }> {
  const slot = slotOf(key);
  const masters = nodes.slice(0, 3);
  const owns = await Promise.all(masters.map((node) => node.call("CLUSTER", "COUNTKEYSINSLOT", slot)));
  const from = masters[owns.findIndex((count) => Number(count) > 0)]!;
  const to = masters.find((node) => node !== from)!;
  const [fromId, toId] = await Promise.all([from, to].map((node) => node.call("CLUSTER", "MYID")));
  return { slot, from, to, fromId: String(fromId), toId: String(toId) };
}

describe("a pipeline over a cluster", () => {
  it("takes each key to its node, and gives the replies in their order", async () => {
    expect(await Promise.all(keys.map((key, at) => redis.call(key, ["SET", key, at])))).toEqual(
      keys.map(() => "OK"),
    );
    expect(await onAll("GET")).toEqual(keys.map((_, at) => `${at}`));
    const sizes = await Promise.all(nodes.slice(0, 3).map((node) => node.dbsize()));
    expect(sizes.every((size) => size > keys.length / 6)).toBe(true);
  });

  it("follows a slot that moves, key by key, also in the middle", async () => {
    const [moved, stays] = ["{17}", "{17}b"];
    await redis.call(stays, ["SET", stays, "b"]);
    const { slot, from, to, fromId, toId } = await placeOf(moved);
    await to.call("CLUSTER", "SETSLOT", slot, "IMPORTING", fromId);
    await from.call("CLUSTER", "SETSLOT", slot, "MIGRATING", toId);
    const { port } = cluster.nodes[nodes.indexOf(to)]!;
    await from.call("MIGRATE", "127.0.0.1", port, moved, 0, 5_000, "AUTH", password);
    expect(await redis.call(moved, ["GET", moved])).toBe("17");
    expect(await redis.call(stays, ["GET", stays])).toBe("b");
    expect(await onAll("GET")).toEqual(keys.map((_, at) => `${at}`));
    // Two keys on both sides can be asked for together only when the slot has moved.
    const both = redis.call(moved, ["MGET", moved, stays]);
    const transaction = redis.run({
      size: 1,
      commandsEach: 3,
      slot: () => slot,
      encode: () => [["MULTI"], ["GET", moved], ["EXEC"]].map(encodeCommand).join(""),
    });
    for (const key of (await from.call("CLUSTER", "GETKEYSINSLOT", slot, 100)) as string[])
      await from.call("MIGRATE", "127.0.0.1", port, key, 0, 5_000, "AUTH", password);
    for (const node of [to, from]) await node.call("CLUSTER", "SETSLOT", slot, "NODE", toId);
    expect(await both).toEqual(["17", "b"]);
    expect(await transaction).toEqual([["17"]]);
  });

  it("goes on with the replica when a master dies", async () => {
    const { from } = await placeOf("{18}");
    expect(await redis.call("{18}", ["WAIT", 1, 10_000])).toBe(1);
    const master = cluster.nodes[nodes.indexOf(from)]!;
    process.kill(master.pid, "SIGKILL");
    await master.exited;
    await waitFor(async () => (await redis.call("{18}", ["GET", "{18}"]).catch(() => null)) === "18", {
      timeoutMs: 60_000,
    });
    expect(await onAll("GET")).toEqual(keys.map((_, at) => `${at}`));
    expect(redis.readyNode("{18}")).toBeDefined();
  });
});
