import { type Channel, createClient, Metadata } from "@chirrup/grpc";
import { createMetrics, metadataKeys, openPeer, parseConfig, type ReceivedEvent } from "@chirrup/platform";
import { FeedService, type GetHomeFeedResponse } from "@chirrup/proto/chirrup/feed/v1/feed_service";
import { testLog } from "@chirrup/testkit";
import { Redis } from "ioredis";
import { type Config, configSchema } from "../src/config.ts";
import { createConsumers } from "../src/consumers/consumers.ts";
import { type Context, createContext } from "../src/context.ts";
import { createHandlers } from "../src/server.ts";
import { peerSecret, type Peers, serveTest } from "./peers.ts";

/** One process of the feed service, but for its subscription: tests hand it the events. */
export interface FeedProcess {
  readonly context: Context;
  readonly channel: Channel;
  readonly redis: Redis;
  apply(received: ReceivedEvent): Promise<void>;
  /** One page, asked for by a user through gRPC. */
  page(readerId: bigint, request?: { cursor?: string; pageSize?: number }): Promise<GetHomeFeedResponse>;
  /** The ids of the whole feed, page by page. */
  scroll(readerId: bigint, pageSize: number): Promise<bigint[][]>;
  close(): Promise<void>;
}

/** Asks for pages as the gateway does for a user who is signed in. */
export function pagesOf(channel: Channel): FeedProcess["page"] {
  const client = createClient(FeedService, channel);
  return (readerId, request = {}) => {
    const id = String(readerId);
    const metadata = Metadata.from({ [metadataKeys.userId]: id, [metadataKeys.sessionId]: id });
    return client.getHomeFeed(request, { metadata });
  };
}

export async function startFeedProcess(
  redisUrl: string,
  peers: Peers,
  settings: Readonly<Record<string, string>> = {},
): Promise<FeedProcess> {
  const config: Config = parseConfig(configSchema, {
    GRPC_PORT: "0",
    HTTP_PORT: "0",
    PEER_SECRET: peerSecret,
    CURSOR_SECRET: "c".repeat(32),
    ...peers.settings,
    REDIS_URL: redisUrl,
    EVENT_LOG_URL: redisUrl,
    ...settings,
  });
  const redis = new Redis(redisUrl, { maxRetriesPerRequest: 0, retryStrategy: () => 50 });
  redis.on("error", () => undefined);
  const stopping = new AbortController();
  const metrics = createMetrics({ service: "feed" });
  const connections = { reading: redis, writing: redis };
  const context = createContext({
    config,
    redis: connections,
    peers,
    log: testLog(),
    metrics,
    signal: stopping.signal,
  });
  const consumers = createConsumers(context, config);
  const server = await serveTest(FeedService, createHandlers(context));
  const channel = openPeer(`127.0.0.1:${server.port}`, peerSecret);
  const page = pagesOf(channel);
  return {
    context,
    channel,
    redis,
    page,
    async apply(received) {
      const consumer = consumers[received.topic as keyof typeof consumers];
      await consumer(received, stopping.signal);
    },
    async scroll(readerId, pageSize) {
      const pages: bigint[][] = [];
      for (let cursor = ""; ;) {
        const { items, nextCursor } = await page(readerId, { cursor, pageSize });
        pages.push(items.map(({ post }) => post!.id));
        if (nextCursor === "") return pages;
        cursor = nextCursor;
      }
    },
    async close() {
      stopping.abort();
      await context.rebuilds.idle();
      channel.close();
      await server.close(0);
      redis.disconnect();
    },
  };
}
