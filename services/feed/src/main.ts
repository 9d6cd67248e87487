import {
  type FollowedEvents,
  followEvents,
  openEventLog,
  openPeer,
  openRedisPipeline,
  type RedisPipeline,
  peerTls,
  runService,
  serveRpc,
  startAdminServer,
} from "@chirrup/platform";
import { FeedService } from "@chirrup/proto/chirrup/feed/v1/feed_service";
import { configSchema } from "./config.ts";
import { createConsumers } from "./consumers/consumers.ts";
import { createContext } from "./context.ts";
import { systemClock } from "./domain/clock.ts";
import { createHandlers } from "./server.ts";

await runService({
  name: "feed",
  schema: configSchema,
  async start({ config, log, metrics, readiness, signal, onStop }) {
    const { HOST: host, PEER_SECRET: peerSecret } = config;
    const admin = await startAdminServer({ host, port: config.HTTP_PORT, readiness, metrics, log });
    onStop("admin server", () => admin.close());

    const readTimeout = { commandTimeoutMs: config.TIMELINE_READ_TIMEOUT_MS };
    const redis = {
      reading: openRedisPipeline({ url: config.REDIS_URL, log, name: "timelines-read", ...readTimeout }),
      writing: openRedisPipeline({ url: config.REDIS_URL, log, name: "timelines-write" }),
    };
    onStop("redis", () => Object.values(redis).forEach((connection) => connection.close()));
    // At the start only: without Redis later, pages come from the post service, which beats no page.
    readiness.set("redis", "not connected yet");
    void untilAnswers(redis.writing, signal).then(() => readiness.set("redis", undefined));

    const tls = peerTls({ folder: config.PEER_TLS_DIR, log, signal });
    const peers = {
      post: openPeer(config.POST_SERVICE, peerSecret, { tls }),
      follow: openPeer(config.FOLLOW_SERVICE, peerSecret, { tls }),
      user: openPeer(config.USER_SERVICE, peerSecret, { tls }),
    };
    onStop("peers", () => Object.values(peers).forEach((peer) => peer.close()));

    const context = createContext({ config, redis, peers, log, metrics, clock: systemClock, signal });
    onStop("builds", () => context.rebuilds.idle());

    const eventLog = openEventLog({ url: config.EVENT_LOG_URL, log, metrics });
    onStop("event log", () => eventLog.close());
    const followed = new Map<string, FollowedEvents>();
    metrics.gauge<"topic">({
      name: "chirrup_feed_lag_events",
      help: "Events that are in the log and not yet applied.",
      labels: ["topic"],
      async collect(gauge) {
        for (const [topic, events] of followed) gauge.set({ topic }, await events.lag());
      },
    });

    const server = await serveRpc({
      service: FeedService,
      handlers: createHandlers(context),
      host,
      port: config.GRPC_PORT,
      peerSecret,
      tls,
      log,
      metrics,
    });
    onStop("rpc server", () => server.close(config.SHUTDOWN_GRACE_MS));

    for (const [topic, handle] of Object.entries(createConsumers(context, config))) {
      const options = { group: "feed", topics: [topic], concurrency: config.CONSUMER_CONCURRENCY, handle };
      followed.set(topic, followEvents(eventLog, options, { log, signal }));
    }
  },
});

async function untilAnswers(redis: RedisPipeline, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const reply = await redis.call("", ["PING"]).catch(() => undefined);
    if (reply === "PONG") return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
