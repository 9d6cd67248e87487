import { type Channel } from "@chirrup/grpc";
import {
  createCursors,
  type Cursors,
  type Logger,
  type Metrics,
  type RedisPipeline,
} from "@chirrup/platform";
import { createFollowClient, type FollowClient } from "./clients/follow.ts";
import { createPostClient, type PostClient } from "./clients/post.ts";
import { createUserClient } from "./clients/user.ts";
import type { Config } from "./config.ts";
import type { Clock } from "./domain/clock.ts";
import { createFeedMetrics, type FeedMetrics } from "./metrics.ts";
import { type Celebrities, createCelebrities } from "./pipeline/celebrities.ts";
import { type CelebrityPosts, createCelebrityPosts } from "./pipeline/celebrity-posts.ts";
import { createFollowed, type Followed } from "./pipeline/followed.ts";
import { createPosts, type Posts } from "./pipeline/posts.ts";
import { createProfiles, type Profiles } from "./pipeline/profiles.ts";
import { createRebuilds, type Rebuilds } from "./pipeline/rebuild.ts";
import { type AuthorOutboxes, createAuthorOutboxes } from "./store/author-outbox.ts";
import { type CelebrityLog, createCelebrityLog } from "./store/celebrity-log.ts";
import { createFollowVersions, type FollowVersions } from "./store/follow-versions.ts";
import { createFanOutProgress, type FanOutProgress } from "./store/fan-out-progress.ts";
import { createHomeTimelines } from "./store/home-timeline.ts";
import type { Timelines } from "./store/timeline.ts";

/** What handlers and consumers are made of; each takes what it uses. */
export interface Context {
  readonly homes: Timelines;
  readonly outboxes: AuthorOutboxes;
  readonly posts: PostClient;
  readonly follows: FollowClient;
  readonly versions: FollowVersions;
  readonly progress: FanOutProgress;
  readonly followed: Followed;
  readonly celebrities: Celebrities;
  readonly celebrityLog: CelebrityLog;
  readonly celebrityPosts: CelebrityPosts;
  readonly seenPosts: Posts;
  readonly profiles: Profiles;
  readonly clock: Clock;
  readonly rebuilds: Rebuilds;
  readonly cursors: Cursors;
  readonly metrics: FeedMetrics;
  readonly homeMax: number;
  readonly chunkPages: number;
  readonly replicatedAfterMs: number;
}

/** What the context stands on: settings and open connections. */
export interface Foundations {
  readonly config: Omit<Config, "HOST" | "GRPC_PORT" | "HTTP_PORT" | "LOG_LEVEL" | "LOG_FORMAT">;
  readonly redis: { readonly reading: RedisPipeline; readonly writing: RedisPipeline };
  readonly peers: { readonly post: Channel; readonly follow: Channel; readonly user: Channel };
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly clock: Clock;
  /** Aborted when the process stops. */
  readonly signal: AbortSignal;
}

/**
 * From a post's id to its commit and the notice that a replica is too far behind; with twice the lag, longer than a
 * consistency token lives.
 */
const longestWriteMs = 30_000;

export function createContext({
  config,
  redis,
  peers,
  log,
  metrics: registry,
  clock,
  signal,
}: Foundations): Context {
  const metrics = createFeedMetrics(registry);
  const homeMax = config.HOME_TIMELINE_MAX;
  const outboxMax = config.AUTHOR_OUTBOX_MAX;
  const ttlMs = config.TIMELINE_TTL_MS;
  const homes = createHomeTimelines({ ...redis, maxEntries: homeMax, ttlMs });
  const outboxes = createAuthorOutboxes({ ...redis, maxEntries: outboxMax, ttlMs });
  const celebrityLog = createCelebrityLog(redis);
  const posts = createPostClient(peers.post);
  const follows = createFollowClient(peers.follow);
  const versions = createFollowVersions({ ...redis, ttlMs: config.FOLLOWEES_TTL_MS });
  const rebuilds = createRebuilds({
    homes,
    outboxes,
    posts,
    follows,
    metrics,
    log,
    signal,
    homeMax,
    outboxMax,
    parallel: config.REBUILD_PARALLEL,
    timeoutMs: config.REBUILD_TIMEOUT_MS,
  });
  return {
    homes,
    outboxes,
    posts,
    follows,
    versions,
    progress: createFanOutProgress(redis.writing),
    followed: createFollowed({ follows, versions, maxKept: config.FOLLOWEES_KEPT }),
    celebrityLog,
    celebrityPosts: createCelebrityPosts({
      outboxes,
      log: celebrityLog,
      outboxMax,
      maxKept: config.OUTBOX_POSTS_KEPT,
    }),
    celebrities: createCelebrities({ follows, clock, log, signal }),
    seenPosts: createPosts({ posts, maxBytes: config.POSTS_KEPT_BYTES, signal }),
    profiles: createProfiles({
      users: createUserClient(peers.user),
      clock,
      maxAgeMs: config.PROFILE_MAX_AGE_MS,
      maxKept: config.PROFILES_KEPT,
      signal,
    }),
    clock,
    rebuilds,
    cursors: createCursors(config.CURSOR_SECRET),
    metrics,
    homeMax,
    chunkPages: config.FEED_CHUNK_PAGES,
    replicatedAfterMs: 2 * config.REPLICA_MAX_LAG_MS + longestWriteMs,
  };
}
