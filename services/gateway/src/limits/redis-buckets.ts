import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import type { Redis } from "@chirrup/platform";
import type { Bucket, Taken } from "./bucket.ts";

export interface RedisBuckets {
  /**
   * Takes from every bucket in one round trip. All keys must be of one identity. Rejects when Redis is not connected, or has
   * not answered within the deadline; then it may have taken or not.
   */
  take(buckets: readonly Bucket[], cost: number): Promise<Taken[]>;
}

const script = readFileSync(new URL("../../lua/token-bucket.lua", import.meta.url), "utf8");
const scriptHash = createHash("sha1").update(script).digest("hex");

/** After so many failures in a row Redis is left alone for `restMs`, so that each request does not wait for it. */
const failuresToRest = 5;
const restMs = 500;

/**
 * Before a command is sent: what is sent in one turn of the event loop leaves in one write. The system call costs more
 * than the command, and ioredis makes one for each.
 */
function joinWrites(redis: Redis): () => void {
  let corked = false;
  return () => {
    if (corked) return;
    const { stream } = redis;
    corked = true;
    stream.cork();
    setImmediate(() => {
      corked = false;
      stream.uncork();
    });
  };
}

export function createRedisBuckets(redis: Redis, deadlineMs: number): RedisBuckets {
  const joinWrite = joinWrites(redis);
  let failures = 0;
  let restUntil = Number.NEGATIVE_INFINITY;

  // A server that started anew knows no scripts. If this fails, the first call sends the script itself.
  const load = (): void => void redis.script("LOAD", script).catch(() => undefined);
  redis.on("ready", load);
  if (redis.status === "ready") load();

  const run = async (keys: readonly string[], args: readonly (string | number)[]): Promise<unknown> => {
    joinWrite();
    try {
      return await redis.evalsha(scriptHash, keys.length, ...keys, ...args);
    } catch (error) {
      if (!(error instanceof Error) || !error.message.startsWith("NOSCRIPT")) throw error;
      return redis.eval(script, keys.length, ...keys, ...args);
    }
  };

  return {
    async take(buckets, cost) {
      if (redis.status !== "ready") throw new Error("redis is not connected");
      if (performance.now() < restUntil) throw new Error("redis did not answer lately");
      const keys = buckets.map(({ key }) => key);
      const args = buckets.flatMap(({ rule }) => [rule.limit, rule.windowMs, rule.burst]);
      try {
        const reply = await within(run(keys, [cost, ...args]), deadlineMs);
        failures = 0;
        return readReply(buckets, reply);
      } catch (error) {
        failures += 1;
        if (failures >= failuresToRest) restUntil = performance.now() + restMs;
        throw error;
      }
    },
  };
}

function readReply(buckets: readonly Bucket[], reply: unknown): Taken[] {
  if (!Array.isArray(reply) || reply.length !== 3 * buckets.length)
    throw new Error("redis gave a strange reply");
  const numbers = reply as readonly number[];
  return buckets.map(({ rule }, i) => ({
    rule,
    left: numbers[3 * i] ?? 0,
    waitMs: numbers[3 * i + 1] ?? 0,
    fullMs: numbers[3 * i + 2] ?? 0,
  }));
}

/** A timer that fires later than this was held up by this process itself. */
const stallMs = 5;
const maxExtensions = 5;

/**
 * Rejects when the promise takes longer than the deadline. Time for which this process was busy does not count, within
 * limits: a reply may have come long ago, and lie in the socket.
 */
function within<T>(promise: Promise<T>, deadlineMs: number): Promise<T> {
  return new Promise((resolve, reject) => {
    let timer: NodeJS.Timeout;
    let extensions = 0;
    const arm = (): void => {
      const dueMs = performance.now() + deadlineMs;
      timer = setTimeout(() => {
        if (performance.now() - dueMs > stallMs && extensions < maxExtensions) {
          extensions += 1;
          arm();
        } else {
          // Sockets are read between timers and immediates.
          setImmediate(() => reject(new Error("redis did not answer in time")));
        }
      }, deadlineMs);
    };
    arm();
    promise.then(
      (value) => {
        clearTimeout(timer);
        resolve(value);
      },
      (error: unknown) => {
        clearTimeout(timer);
        reject(error instanceof Error ? error : new Error(String(error)));
      },
    );
  });
}
