import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { toBinary } from "@bufbuild/protobuf";
import { openPeer, partitionOf, streamKeys } from "@chirrup/platform";
import { EventSchema } from "@chirrup/proto/chirrup/events/v1/event";
import { testRedis, waitFor } from "@chirrup/testkit";
import { Redis } from "ioredis";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { pagesOf } from "./feed-process.ts";
import { createGates } from "./gates.ts";
import { type Peers, peerSecret, servePeers } from "./peers.ts";
import { World } from "./world.ts";

const [reader, author] = [1n, 2n] as const;
const world = new World([reader, author], 10);
let peers: Peers;
let timelines: Redis;
let events: Redis;
let child: ChildProcess;
let grpcPort: number;
let httpPort: number;

beforeAll(async () => {
  const [timelinesUrl, eventsUrl] = [(await testRedis()).url, (await testRedis()).url];
  timelines = new Redis(timelinesUrl);
  events = new Redis(eventsUrl);
  peers = await servePeers(() => world, createGates());
  grpcPort = await freePort();
  httpPort = await freePort();
  child = spawn(process.execPath, ["-C", "source", new URL("../src/main.ts", import.meta.url).pathname], {
    env: {
      ...peers.settings,
      GRPC_PORT: `${grpcPort}`,
      HTTP_PORT: `${httpPort}`,
      REDIS_URL: timelinesUrl,
      EVENT_LOG_URL: eventsUrl,
      PEER_SECRET: peerSecret,
      CURSOR_SECRET: "c".repeat(32),
      LOG_LEVEL: "warn",
    },
    stdio: ["ignore", "inherit", "inherit"],
  });
  await waitFor(async () => (await fetch(admin("/readyz"))).ok, {
    timeoutMs: 30_000,
    what: "the feed process",
  });
});
afterAll(async () => {
  child.kill("SIGKILL");
  await peers.close();
  timelines.disconnect();
  events.disconnect();
});

const admin = (path: string): string => `http://127.0.0.1:${httpPort}${path}`;

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}

async function metric(line: RegExp): Promise<void> {
  const matches = async (): Promise<boolean> => line.test(await (await fetch(admin("/metrics"))).text());
  await waitFor(matches, { what: `the metric ${line}` });
}

/** Hands all events that are pending to the log, as the relay does. */
async function relay(): Promise<void> {
  for (const { topic, key, event } of world.pending.splice(0)) {
    const stream = streamKeys.stream(topic, partitionOf(key));
    await events.xadd(stream, "*", "k", key, "e", Buffer.from(toBinary(EventSchema, event)));
  }
}

describe("the process", () => {
  it("takes events from the log into timelines, and loses nothing with Redis", async () => {
    const channel = openPeer(`127.0.0.1:${grpcPort}`, peerSecret);
    const { page } = pagesOf(channel);
    const ids = async (): Promise<bigint[]> => (await page(reader)).items.map(({ post }) => post!.id);

    world.follow(reader, author);
    await relay();
    expect(await ids()).toEqual([]);
    await metric(/chirrup_feed_rebuilds_total\{.*timeline="home",outcome="built".*\} 1/);

    const postId = world.post(author);
    await relay();
    await waitFor(async () => (await ids()).includes(postId), { what: "the post in the feed" });
    await metric(/chirrup_feed_deliveries_total\{.*\} 1/);
    await metric(/chirrup_feed_lag_events\{.*topic="posts".*\} 0/);

    await timelines.flushdb();
    expect(await ids()).toEqual([postId]);
    channel.close();
  });

  it("ends by itself when it is asked to", async () => {
    child.kill("SIGTERM");
    expect(await once(child, "exit")).toEqual([0, null]);
  });
});
