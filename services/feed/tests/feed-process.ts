import { type Channel, createClient, Metadata } from "@chirrup/grpc";
import {
  createLogger,
  createMetrics,
  metadataKeys,
  openPeer,
  openRedisPipeline,
  parseConfig,
  type ReceivedEvent,
  type RedisPipeline,
} from "@chirrup/platform";
import {
  type CountNewPostsResponse,
  FeedService,
  type GetHomeFeedResponse,
} from "@chirrup/proto/chirrup/feed/v1/feed_service";
import { Redis } from "ioredis";
import { type Config, configSchema } from "../src/config.ts";
import { createConsumers } from "../src/consumers/consumers.ts";
import { type Context, createContext } from "../src/context.ts";
import { type Clock, systemClock } from "../src/domain/clock.ts";
import { createHandlers } from "../src/server.ts";
import { localChannel } from "./local-channel.ts";
import { peerSecret, type Peers, serveTest } from "./peers.ts";

/** One process of the feed service, but for its subscription: tests hand it the events. */
export interface FeedProcess {
  readonly context: Context;
  readonly channel: Channel;
  readonly redis: Redis;
  apply(received: ReceivedEvent): Promise<void>;
  /** One page, asked for by a user. */
  page(
    readerId: bigint,
    request?: { cursor?: string; pageSize?: number },
    tokens?: readonly string[],
  ): Promise<GetHomeFeedResponse>;
  countNew(readerId: bigint, since: string): Promise<CountNewPostsResponse>;
  /** The ids of the whole feed, page by page. */
  scroll(readerId: bigint, pageSize: number): Promise<bigint[][]>;
  close(): Promise<void>;
}

/** Asks for pages as the gateway does for a user who is signed in. */
export function pagesOf(channel: Channel): Pick<FeedProcess, "page" | "countNew"> {
  const client = createClient(FeedService, channel);
  const as = (readerId: bigint, tokens: readonly string[] = []): { metadata: Metadata } => {
    const id = String(readerId);
    const metadata = Metadata.from({ [metadataKeys.userId]: id, [metadataKeys.sessionId]: id });
    for (const token of tokens) metadata.append(metadataKeys.consistency, token);
    return { metadata };
  };
  return {
    page: (readerId, request = {}, tokens = []) => client.getHomeFeed(request, as(readerId, tokens)),
    countNew: (readerId, since) => client.countNewPosts({ since }, as(readerId)),
  };
}

export interface FeedProcessOptions {
  readonly redisUrl: string;
  /** Of the services that it calls. */
  readonly peers: Pick<Peers, "post" | "follow" | "user">;
  readonly settings?: Readonly<Record<string, string>>;
  readonly clock?: Clock;
}

const log = createLogger({ service: "test", level: "silent", format: "json" });

/** A process that is asked through gRPC. */
export async function startFeedProcess(
  redisUrl: string,
  peers: Peers,
  settings: Readonly<Record<string, string>> = {},
  clock: Clock = systemClock,
): Promise<FeedProcess> {
  const inside = openInside({ redisUrl, peers, settings, clock });
  const server = await serveTest(FeedService, inside.handlers);
  const channel = openPeer(`127.0.0.1:${server.port}`, peerSecret);
  return processOf(inside, channel, async () => {
    channel.close();
    await server.close(0);
  });
}

/** A process that is asked without gRPC between. */
export function localFeedProcess(options: FeedProcessOptions): FeedProcess {
  const inside = openInside(options);
  return processOf(inside, localChannel(FeedService, inside.handlers), () => Promise.resolve());
}

interface Inside extends Pick<FeedProcess, "context" | "redis"> {
  readonly pipeline: RedisPipeline;
  readonly handlers: ReturnType<typeof createHandlers>;
  readonly consumers: ReturnType<typeof createConsumers>;
  readonly stopping: AbortController;
}

function openInside({ redisUrl, peers, settings = {}, clock = systemClock }: FeedProcessOptions): Inside {
  const config: Config = parseConfig(configSchema, {
    GRPC_PORT: "0",
    HTTP_PORT: "0",
    PEER_SECRET: peerSecret,
    CURSOR_SECRET: "c".repeat(32),
    // The peers are handed over as channels.
    POST_SERVICE: "127.0.0.1:1",
    FOLLOW_SERVICE: "127.0.0.1:1",
    USER_SERVICE: "127.0.0.1:1",
    REDIS_URL: redisUrl,
    EVENT_LOG_URL: redisUrl,
    // A busy machine is no failure.
    TIMELINE_READ_TIMEOUT_MS: "20000",
    ...settings,
  });
  const commandTimeoutMs = config.TIMELINE_READ_TIMEOUT_MS;
  const pipeline = openRedisPipeline({ url: redisUrl, log, name: "test", commandTimeoutMs });
  const redis = new Redis(redisUrl, { lazyConnect: true, maxRetriesPerRequest: 0, retryStrategy: () => 50 });
  redis.on("error", () => undefined);
  const stopping = new AbortController();
  const context = createContext({
    config,
    redis: { reading: pipeline, writing: pipeline },
    peers,
    log,
    metrics: createMetrics({ service: "feed" }),
    clock,
    signal: stopping.signal,
  });
  const consumers = createConsumers(context, config);
  return { context, redis, pipeline, handlers: createHandlers(context), consumers, stopping };
}

function processOf(inside: Inside, channel: Channel, disconnect: () => Promise<void>): FeedProcess {
  const { context, redis, consumers, stopping } = inside;
  const { page, countNew } = pagesOf(channel);
  return {
    context,
    channel,
    redis,
    page,
    countNew,
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
      await disconnect();
      inside.pipeline.close();
      redis.disconnect();
    },
  };
}
