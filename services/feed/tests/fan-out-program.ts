/**
 * Pushes one post to 100,000 followers, and says after which follower it began. Stands still before the 60,000th when
 * it is told to, for as long as it lives.
 */
import { CelebrityState } from "@chirrup/proto/chirrup/follow/v1/follow_service";
import { createLogger, openRedisPipeline } from "@chirrup/platform";
import { createFanOut } from "../src/consumers/fan-out.ts";
import { createPace } from "../src/domain/pace.ts";
import { createFanOutProgress } from "../src/store/fan-out-progress.ts";
import { createHomeTimelines } from "../src/store/home-timeline.ts";

const [redisUrl = "", how = ""] = process.argv.slice(2);
const followers = 100_000n;
const stopsBefore = 60_000n;
const log = createLogger({ service: "test", level: "silent", format: "json" });
const redis = openRedisPipeline({ url: redisUrl, log, name: "test", commandTimeoutMs: 60_000 });
const homes = createHomeTimelines({ reading: redis, writing: redis, maxEntries: 800, ttlMs: 1e9 });

async function* streamFollowers(_: bigint, { afterId, pageSize }: { afterId: bigint; pageSize: number }) {
  process.stdout.write(`from ${afterId}\n`);
  for (let id = afterId; id < followers; id += BigInt(pageSize)) {
    if (how === "stops" && id >= stopsBefore) await new Promise(() => setInterval(() => undefined, 1e6));
    const followerIds = Array.from({ length: pageSize }, (__, at) => id + BigInt(at) + 1n);
    yield { state: CelebrityState.NORMAL, followerIds };
  }
}

const fanOut = createFanOut({
  follows: { streamFollowers },
  progress: createFanOutProgress(redis),
  streamPage: 1_000,
  parallel: 4,
  largeFrom: 5_000,
  checkpointEvery: 10_000,
});
const deliver = (readerIds: readonly bigint[]): Promise<number> => homes.push(readerIds, { postId: 7n });
await fanOut({ authorId: 1n, eventId: 5n, pace: createPace({ least: 100, most: 1_000 }), deliver }, {});
process.stdout.write("done\n");
redis.close();
