import { openRedis } from "@chirrup/platform";
import { CelebrityState } from "@chirrup/proto/chirrup/follow/v1/follow_service";
// The fan-out is measured alone: a process of the feed would bring the event log and gRPC into each delivery.
// oxlint-disable no-restricted-imports
import { createFanOut } from "../../services/feed/src/consumers/fan-out.ts";
import { createPace } from "../../services/feed/src/domain/pace.ts";
import { createTurns } from "../../services/feed/src/domain/turns.ts";
import { createFanOutProgress } from "../../services/feed/src/store/fan-out-progress.ts";
import { createHomeTimelines } from "../../services/feed/src/store/home-timeline.ts";
import type { Timelines } from "../../services/feed/src/store/timeline.ts";
import { log, type Stage } from "./stage.ts";

export const timelineSize = 800;
const batchSize = 100;
const workers = 16;
const longBatch = 1_000;

/** Delivers a post to all followers, and resolves when Redis has acknowledged every one. */
export type Deliver = (followerIds: readonly bigint[], postId: bigint) => Promise<void>;

export interface Shape {
  readonly name: string;
  readonly keyPrefix: string;
  readonly kind: "list" | "zset";
  deliver: Deliver;
}

export function openTimelines({ redis }: Stage): Timelines {
  return createHomeTimelines({ reading: redis, writing: redis, maxEntries: timelineSize, ttlMs: 1e9 });
}

/** This project's: the feed's fan-out and store, fed from memory instead of the follow service. */
export function createOwnShape(stage: Stage): Shape {
  const homes = openTimelines(stage);
  const pace = createPace({ least: 100, most: longBatch });
  let followerIds: readonly bigint[] = [];
  async function* streamFollowers(_: bigint, { pageSize }: { readonly pageSize: number }) {
    for (let at = 0; at < followerIds.length; at += pageSize)
      yield { state: CelebrityState.NORMAL, followerIds: followerIds.slice(at, at + pageSize) };
  }
  const progress = createFanOutProgress(stage.redis);
  const fanOut = createFanOut({
    follows: { streamFollowers },
    progress,
    streamPage: 1_000,
    parallel: 4,
    largeFrom: 5_000,
    checkpointEvery: 10_000,
  });
  return {
    name: "own",
    keyPrefix: "home:",
    kind: "list",
    async deliver(ids, postId) {
      followerIds = ids;
      const deliver = (readerIds: readonly bigint[]): Promise<number> => homes.push(readerIds, { postId });
      await fanOut({ authorId: 1n, eventId: postId, pace, deliver }, {});
    },
  };
}

/** The shapes that others use, over ioredis: a server's general client, at its best in pipelines. */
export function createPeers({ url }: Stage): { readonly shapes: readonly Shape[]; close(): void } {
  const redis = openRedis({ url, log, name: "bench", commandTimeoutMs: 0 });
  const trimmed = (id: bigint): string => `trimmed:{${id}}`;
  const kept = (id: bigint): string => `kept:{${id}}`;
  const pushed = (id: bigint): string => `pushed:{${id}}`;

  const turns = createTurns(workers);
  /** In batches, by workers that all posts under way share. */
  async function inBatches(
    ids: readonly bigint[],
    size: number,
    work: (batch: readonly bigint[]) => Promise<unknown>,
  ): Promise<void> {
    const batches: Promise<unknown>[] = [];
    for (let at = 0; at < ids.length; at += size) {
      const batch = ids.slice(at, at + size);
      batches.push(turns.run(() => work(batch)));
    }
    await Promise.all(batches);
  }

  const score = (postId: bigint): string => String(postId >> 22n);
  return {
    close: () => redis.disconnect(),
    shapes: [
      {
        // One ZADD for each follower, awaited, in batches of 100, in parallel workers.
        name: "zadd-each",
        keyPrefix: "kept:",
        kind: "zset",
        deliver: (ids, postId) =>
          inBatches(ids, batchSize, async (batch) => {
            for (const id of batch) await redis.zadd(kept(id), score(postId), String(postId));
          }),
      },
      {
        // The same, where the commands of a batch are awaited together.
        name: "zadd-together",
        keyPrefix: "kept:",
        kind: "zset",
        deliver: (ids, postId) =>
          inBatches(ids, batchSize, (batch) =>
            Promise.all(batch.map((id) => redis.zadd(kept(id), score(postId), String(postId)))),
          ),
      },
      {
        // Mastodon: ZADD, then what is beyond the size is removed, for each follower.
        name: "zadd-trim",
        keyPrefix: "trimmed:",
        kind: "zset",
        deliver: (ids, postId) =>
          inBatches(ids, batchSize, (batch) => {
            const pipeline = redis.pipeline();
            for (const id of batch) {
              pipeline.zadd(trimmed(id), score(postId), String(postId));
              pipeline.zremrangebyrank(trimmed(id), 0, -(timelineSize + 1));
            }
            return pipeline.exec();
          }),
      },
      {
        // Misskey: LPUSH, and in one of ten cases LTRIM.
        name: "lpush-trim",
        keyPrefix: "pushed:",
        kind: "list",
        deliver: (ids, postId) =>
          inBatches(ids, longBatch, (batch) => {
            const pipeline = redis.pipeline();
            for (const id of batch) {
              pipeline.lpush(pushed(id), String(postId));
              if (Math.random() < 0.1) pipeline.ltrim(pushed(id), 0, timelineSize - 1);
            }
            return pipeline.exec();
          }),
      },
      {
        // DeathStarBench: ZADD NX in pipelines, never trimmed.
        name: "zadd-pipelined",
        keyPrefix: "kept:",
        kind: "zset",
        deliver: (ids, postId) =>
          inBatches(ids, longBatch, (batch) => {
            const pipeline = redis.pipeline();
            for (const id of batch) pipeline.zadd(kept(id), "NX", score(postId), String(postId));
            return pipeline.exec();
          }),
      },
    ],
  };
}
