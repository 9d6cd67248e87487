import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openRedisPipeline, type RedisPipeline, slotOfTag } from "@chirrup/platform";
import {
  freePort,
  type RedisCluster,
  type RedisServer,
  startRedis,
  startRedisCluster,
} from "@chirrup/servers";
import { testLog, waitFor } from "@chirrup/testkit";
import { Redis } from "ioredis";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { newest } from "../src/domain/slice.ts";
import {
  type Announced,
  type CelebrityLog,
  createCelebrityLog,
  type LogPlace,
} from "../src/store/celebrity-log.ts";
import { createHomeTimelines } from "../src/store/home-timeline.ts";
import type { Build, Timelines } from "../src/store/timeline.ts";

const slotCount = 16_384;
let folder: string;
let pipeline: RedisPipeline;
let homes: Timelines;

function open(url: string): void {
  pipeline = openRedisPipeline({ url, log: testLog(), name: "test", commandTimeoutMs: 20_000 });
  homes = createHomeTimelines({ reading: pipeline, writing: pipeline, maxEntries: 800, ttlMs: 1e9 });
}
async function begin(ownerId: bigint): Promise<Build> {
  const build = await homes.begin(ownerId);
  if (build === undefined) throw new Error("a complete timeline is kept");
  return build;
}
/** Builds a timeline with the posts given, as a reader who finds none does. */
async function build(ownerId: bigint, postIds: readonly bigint[]): Promise<void> {
  const found = { floor: 0n, entries: postIds.map((postId) => ({ postId })) };
  expect(await homes.commit(ownerId, await begin(ownerId), found)).toBe(true);
}
async function ids(ownerId: bigint): Promise<bigint[] | undefined> {
  const [slice] = await homes.read([ownerId], newest, 100);
  return slice?.entries.map(({ postId }) => postId);
}

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "chirrup-loss-"));
});
afterEach(async () => {
  pipeline.close();
  await rm(folder, { recursive: true, force: true });
});

describe("a server that returns with an older copy of its data", () => {
  let server: RedisServer;
  afterEach(() => server.stop());

  it("keeps no timeline, also none that was begun", async () => {
    const port = await freePort();
    const options = {
      dataDir: folder,
      port,
      logFile: join(folder, "log"),
      settings: { dbfilename: "copy.rdb" },
    };
    server = await startRedis(options);
    open(server.url);
    await build(1n, [10n]);
    const begun = await begin(2n);
    await pipeline.call("", ["SAVE"]);
    await homes.push([1n, 2n], { postId: 20n });
    expect(await ids(1n)).toEqual([20n, 10n]);
    process.kill(server.pid, "SIGKILL");
    await server.exited;

    server = await startRedis(options);
    expect(await waitForKeys()).toBe(2);
    expect(await ids(1n)).toBeUndefined();
    expect(await homes.commit(2n, begun, { floor: 0n, entries: [] })).toBe(false);
    await build(1n, [20n, 10n]);
    await build(2n, [20n]);
    expect([await ids(1n), await ids(2n)]).toEqual([[20n, 10n], [20n]]);
  });

  async function waitForKeys(): Promise<unknown> {
    await waitFor(async () => (await pipeline.call("", ["PING"]).catch(() => "")) === "PONG");
    return pipeline.call("", ["DBSIZE"]);
  }
});

describe("a cluster", () => {
  /** Gives a slot with the one key in it to another master, as `redis-cli --cluster reshard` does. */
  async function move(slot: number, key: string, source: Redis, target: Redis): Promise<void> {
    const [sourceId, targetId] = await Promise.all(
      [source, target].map(async (node) => String(await node.call("CLUSTER", "MYID"))),
    );
    await target.call("CLUSTER", "SETSLOT", slot, "IMPORTING", sourceId!);
    await source.call("CLUSTER", "SETSLOT", slot, "MIGRATING", targetId!);
    await source.call("MIGRATE", "127.0.0.1", target.options.port!, key, 0, 5_000);
    for (const node of [target, source]) await node.call("CLUSTER", "SETSLOT", slot, "NODE", targetId!);
  }
  const ownerIds = Array.from({ length: 60 }, (_, at) => BigInt(at + 1));
  /** Which of the three masters had an owner's slot at the start. */
  const masterOf = (ownerId: bigint): number => Math.floor((slotOfTag(String(ownerId)) * 3) / slotCount);
  let clusterFolder: string;
  let cluster: RedisCluster;
  let nodes: Redis[];

  beforeEach(async () => {
    clusterFolder = await mkdtemp(join(tmpdir(), "chirrup-loss-cluster-"));
    cluster = await startRedisCluster({ dataDir: clusterFolder, logDir: clusterFolder });
    nodes = cluster.nodes.map(({ url }) => new Redis(url, { retryStrategy: () => 100 }));
    for (const node of nodes) node.on("error", () => undefined);
    open(`redis-cluster://${cluster.addresses.join(",")}`);
  });
  afterEach(async () => {
    for (const node of nodes) node.disconnect();
    await cluster.stop();
    await rm(clusterFolder, { recursive: true, force: true });
  });

  it("forgets a timeline that moves to another master", async () => {
    const [ownerId, key] = [17n, "home:{17}"];
    await build(ownerId, [10n]);
    const slot = slotOfTag("17");
    const from = nodes[masterOf(ownerId)]!;
    const to = nodes[(masterOf(ownerId) + 1) % 3]!;
    await move(slot, key, from, to);
    expect(await ids(ownerId)).toBeUndefined();
    await build(ownerId, [20n, 10n]);
    await move(slot, key, to, from);
    expect(await ids(ownerId)).toBeUndefined();
    await build(ownerId, [20n, 10n]);
    expect(await ids(ownerId)).toEqual([20n, 10n]);
  });

  it("forgets a timeline that moved away, lost a push there, and came back before anybody read it", async () => {
    const [ownerId, key, slot] = [17n, "home:{17}", slotOfTag("17")];
    const home = nodes[masterOf(ownerId)]!;
    const awayAt = (masterOf(ownerId) + 1) % 3;
    const [away, heir] = [cluster.nodes[awayAt]!, cluster.nodes[awayAt + 3]!];
    await build(ownerId, [10n]);
    await move(slot, key, home, nodes[awayAt]!);
    expect(await homes.push([ownerId], { postId: 20n })).toBe(1);
    expect(await pipeline.call(key, ["WAIT", 1, 20_000])).toBe(1);
    process.kill(heir.pid, "SIGSTOP");
    // Else the push would wait for it in the socket.
    await nodes[awayAt]!.call("CLIENT", "KILL", "TYPE", "REPLICA");
    expect(await homes.push([ownerId], { postId: 30n })).toBe(1);
    process.kill(away.pid, "SIGKILL");
    await away.exited;
    process.kill(heir.pid, "SIGCONT");
    const promoted = nodes[awayAt + 3]!;
    const isMaster = async (): Promise<boolean> =>
      ((await promoted.call("ROLE")) as unknown[])[0] === "master";
    await waitFor(isMaster, { timeoutMs: 60_000, what: "the replica" });
    expect(await promoted.lrange(key, 1, -1)).toEqual(["10", "20"]);
    // The other masters know the new one before they take slots from it.
    const promotedId = String(await promoted.call("CLUSTER", "MYID"));
    await waitFor(async () =>
      new RegExp(`^${promotedId} \\S+ master `, "m").test(String(await home.call("CLUSTER", "NODES"))),
    );
    await move(slot, key, promoted, home);
    expect(await home.lrange(key, 1, -1)).toEqual(["10", "20"]);
    const isAnswered = (): Promise<boolean> =>
      ids(ownerId).then(
        () => true,
        () => false,
      );
    await waitFor(isAnswered, { timeoutMs: 60_000, what: "the new map of the cluster" });
    expect(await ids(ownerId)).toBeUndefined();
    await build(ownerId, [30n, 20n, 10n]);
    expect(await ids(ownerId)).toEqual([30n, 20n, 10n]);
  });

  it("forgets the timelines of a master whose acknowledged pushes vanish with it, and no others", async () => {
    const lost = masterOf(1_000n);
    for (const ownerId of ownerIds) {
      if ((await ids(ownerId)) === undefined) await build(ownerId, [10n]);
      else await homes.remove([ownerId], { postId: 20n });
    }
    const begun = await begin(1_000n);
    for (const ownerId of [...ownerIds, 1_000n])
      expect(await pipeline.call(`{${ownerId}}`, ["WAIT", 1, 20_000])).toBe(1);
    const replicas = cluster.nodes.slice(3);
    for (const { pid } of replicas) process.kill(pid, "SIGSTOP");
    expect(await homes.push(ownerIds, { postId: 20n })).toBe(ownerIds.length);
    expect(await Promise.all(ownerIds.map(ids))).toEqual(ownerIds.map(() => [20n, 10n]));
    process.kill(cluster.nodes[lost]!.pid, "SIGKILL");
    await cluster.nodes[lost]!.exited;
    for (const { pid } of replicas) process.kill(pid, "SIGCONT");

    const all = (): Promise<unknown> => Promise.all(ownerIds.map(ids)).catch(() => undefined);
    await waitFor(async () => (await all()) !== undefined, { timeoutMs: 60_000, what: "the replica" });
    expect(await all()).toEqual(ownerIds.map((id) => (masterOf(id) === lost ? undefined : [20n, 10n])));
    // What the promoted replica has is there, but for the push.
    const gone = ownerIds.filter((id) => masterOf(id) === lost);
    expect(await pipeline.call("home:{1000}", ["EXISTS", "home:{1000}"])).toBe(1);
    expect(await homes.push(gone, { postId: 30n })).toBe(gone.length);
    expect(await homes.commit(1_000n, begun, { floor: 0n, entries: [] })).toBe(false);
    for (const ownerId of gone) await build(ownerId, [30n, 20n, 10n]);
    for (const ownerId of gone) expect(await ids(ownerId)).toEqual([30n, 20n, 10n]);
  });

  describe("with the log of what was pushed to nobody", () => {
    const key = "celebrity-posts";
    const master = Math.floor((slotOfTag(key) * 3) / slotCount);
    const post = (postId: bigint): Announced => ({ authorId: 7n, postId });
    let log: CelebrityLog;
    /** Up to where a process has read it. */
    let place: LogPlace;
    beforeEach(async () => {
      log = createCelebrityLog({ reading: pipeline, writing: pipeline });
      ({ place } = await log.readOn(undefined));
      await log.announce(post(1n));
      ({ place } = await log.readOn(place));
    });
    /** What is heard from the place on, and of a post that is announced then, from the new one on. */
    async function readsOn(): Promise<unknown[]> {
      const { announced, place: fresh } = await log.readOn(place);
      await log.announce(post(3n));
      return [announced, (await log.readOn(fresh)).announced];
    }
    const anotherLife = [undefined, [post(3n)]];

    it("gives it another life when it has moved away and back", async () => {
      const [home, away] = [nodes[master]!, nodes[(master + 1) % 3]!];
      await move(slotOfTag(key), key, home, away);
      await move(slotOfTag(key), key, away, home);
      expect(await readsOn()).toEqual(anotherLife);
    });

    it("gives it another life when its master dies with what was announced", async () => {
      expect(await pipeline.call(key, ["WAIT", 1, 20_000])).toBe(1);
      const replicas = cluster.nodes.slice(3);
      for (const { pid } of replicas) process.kill(pid, "SIGSTOP");
      // Else what is announced would wait for it in the socket.
      await nodes[master]!.call("CLIENT", "KILL", "TYPE", "REPLICA");
      await log.announce(post(2n));
      process.kill(cluster.nodes[master]!.pid, "SIGKILL");
      await cluster.nodes[master]!.exited;
      for (const { pid } of replicas) process.kill(pid, "SIGCONT");
      const isServed = (): Promise<boolean> =>
        pipeline.call(key, ["LLEN", key]).then(
          (length) => typeof length === "number",
          () => false,
        );
      await waitFor(isServed, { timeoutMs: 60_000, what: "the replica" });
      // The post that a process had read is there, the one announced since is not.
      expect(await pipeline.call(key, ["LRANGE", key, 1, -1])).toEqual(["7:1"]);
      expect(await readsOn()).toEqual(anotherLife);
    });
  });
});
