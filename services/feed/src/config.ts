import { commonSettings, type CommonSettings, setting } from "@chirrup/platform";
import { z } from "zod";

const dayMs = 24 * 60 * 60 * 1_000;

// One read of the post service fills a timeline, and gives 1,000 posts at most.
function timelineMax(): z.ZodType<number, string> {
  return setting.positiveInt().refine((value) => value <= 1_000, "must be at most 1000");
}

type NumberSetting = z.ZodDefault<z.ZodType<number, string>>;
type TextSetting = z.ZodType<string, string>;

type Settings = CommonSettings & {
  readonly REDIS_URL: TextSetting;
  readonly EVENT_LOG_URL: TextSetting;
  readonly POST_SERVICE: TextSetting;
  readonly FOLLOW_SERVICE: TextSetting;
  readonly USER_SERVICE: TextSetting;
  readonly CURSOR_SECRET: TextSetting;
  readonly HOME_TIMELINE_MAX: NumberSetting;
  readonly AUTHOR_OUTBOX_MAX: NumberSetting;
  readonly TIMELINE_TTL_MS: NumberSetting;
  readonly TIMELINE_READ_TIMEOUT_MS: NumberSetting;
  readonly FEED_CHUNK_PAGES: NumberSetting;
  readonly REPLICA_MAX_LAG_MS: NumberSetting;
  readonly FANOUT_STREAM_PAGE: NumberSetting;
  readonly FANOUT_BATCH: NumberSetting;
  readonly BACKFILL_BATCH: NumberSetting;
  readonly FANOUT_PARALLEL: NumberSetting;
  readonly FANOUT_LARGE_FROM: NumberSetting;
  readonly FANOUT_CHECKPOINT_EVERY: NumberSetting;
  readonly CONSUMER_CONCURRENCY: NumberSetting;
  readonly REBUILD_PARALLEL: NumberSetting;
  readonly REBUILD_TIMEOUT_MS: NumberSetting;
  readonly FOLLOWEES_TTL_MS: NumberSetting;
  readonly FOLLOWEES_KEPT: NumberSetting;
  readonly OUTBOX_POSTS_KEPT: NumberSetting;
  readonly POSTS_KEPT_BYTES: NumberSetting;
  readonly PROFILE_MAX_AGE_MS: NumberSetting;
  readonly PROFILES_KEPT: NumberSetting;
};

/** The settings of the service, by the names of their environment variables. */
export const configSchema: z.ZodObject<Settings> = z.object({
  ...commonSettings,
  REDIS_URL: setting
    .redis()
    .describe(
      "Redis of the timelines, a server or a cluster: redis-cluster://host:port,… May lose everything.",
    ),
  EVENT_LOG_URL: setting.eventLog().describe("The event log: kafka://host:port,… or, embedded, its Redis."),
  POST_SERVICE: setting.address().describe("Post service."),
  FOLLOW_SERVICE: setting.address().describe("Follow service."),
  USER_SERVICE: setting.address().describe("User service."),
  CURSOR_SECRET: setting.secret().describe("Authenticates cursors; the same for all instances."),
  HOME_TIMELINE_MAX: timelineMax().default(800).describe("Posts kept in a home timeline, at most 1000."),
  AUTHOR_OUTBOX_MAX: timelineMax().default(800).describe("Posts kept in an author's outbox, at most 1000."),
  TIMELINE_TTL_MS: setting
    .durationMs()
    .default(14 * dayMs)
    .describe("How long a timeline is kept after it was last read, in milliseconds."),
  TIMELINE_READ_TIMEOUT_MS: setting
    .durationMs()
    .default(500)
    .describe("How long a page waits for the timelines before it does without them, in milliseconds."),
  FEED_CHUNK_PAGES: setting
    .positiveInt()
    .default(4)
    .describe("Pages fetched by one read of the post service, below the timelines' floors."),
  REPLICA_MAX_LAG_MS: setting
    .positiveInt()
    .default(10_000)
    .describe("How far behind a replica of the post service may be that gets reads; as it is set there."),
  FANOUT_STREAM_PAGE: setting
    .positiveInt()
    .default(1_000)
    .describe("Followers in one message of the follow service, at most 5000."),
  FANOUT_BATCH: setting
    .positiveInt()
    .default(1_000)
    .describe("Readers in one pipeline of pushes at most; fewer, down to 100, while Redis is slow."),
  BACKFILL_BATCH: setting
    .positiveInt()
    .default(16)
    .describe("Readers in one pipeline of backfills; each takes up to a whole timeline."),
  FANOUT_PARALLEL: setting.positiveInt().default(4).describe("Pipelines under way for one event."),
  FANOUT_LARGE_FROM: setting
    .positiveInt()
    .default(5_000)
    .describe("Followers of one event beyond which it waits for others like it, and nobody else for it."),
  FANOUT_CHECKPOINT_EVERY: setting
    .positiveInt()
    .default(10_000)
    .describe("Followers of one event that are served again at most after a crash."),
  CONSUMER_CONCURRENCY: setting.positiveInt().default(64).describe("Events of one topic handled at once."),
  REBUILD_PARALLEL: setting.positiveInt().default(16).describe("Timelines built at once."),
  REBUILD_TIMEOUT_MS: setting
    .durationMs()
    .default(10_000)
    .describe("Deadline of each call that a build makes, in milliseconds."),
  FOLLOWEES_TTL_MS: setting
    .durationMs()
    .default(600_000)
    .describe("How long a process keeps whom a reader follows when no event ends it, in milliseconds."),
  FOLLOWEES_KEPT: setting
    .positiveInt()
    .default(2_000_000)
    .describe("Followees that a process keeps, of all readers together; 8 bytes each."),
  OUTBOX_POSTS_KEPT: setting
    .positiveInt()
    .default(2_000_000)
    .describe("Posts in celebrities' outboxes that a process keeps, of all together; 8 bytes each."),
  POSTS_KEPT_BYTES: setting
    .positiveInt()
    .default(16_777_216)
    .describe(
      "Memory for posts that a process keeps, in bytes; each is compared with its owner's when it is shown.",
    ),
  PROFILE_MAX_AGE_MS: setting
    .durationMs()
    .default(5_000)
    .describe("How old the name of an author on a page may be, in milliseconds."),
  PROFILES_KEPT: setting.positiveInt().default(20_000).describe("Profiles that a process keeps."),
});

export type Config = z.infer<typeof configSchema>;
