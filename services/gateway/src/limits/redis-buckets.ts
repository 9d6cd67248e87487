import { readFileSync } from "node:fs";
import {
  createRedisScript,
  encodeArgs,
  RedisError,
  slotOf,
  type RedisPipeline,
  type RedisReply,
} from "@chirrup/platform";
import type { Bucket, Taken } from "./bucket.ts";
import { createDeadline } from "./deadline.ts";
import type { Rule } from "./rules.ts";

export interface RedisBuckets {
  /** Whether only the keys of one identity are sure to be on one node. */
  readonly isCluster: boolean;
  /**
   * Takes from every bucket in one round trip. In a cluster all keys must be of one identity. Rejects when Redis is not connected, or has
   * not answered within the deadline; then it may have taken or not.
   */
  take(buckets: readonly Bucket[], cost: number): Promise<Taken[]>;
}

const script = createRedisScript(
  readFileSync(new URL("../../lua/token-bucket.lua", import.meta.url), "utf8"),
);

/** After so many failures in a row a node is left alone for `restMs`, so that each request does not wait for it. */
const failuresToRest = 5;
const restMs = 500;

/** Buckets in a Redis or a Redis Cluster, where those of one identity are on one node. */
export function createRedisBuckets(redis: RedisPipeline, deadlineMs: number): RedisBuckets {
  const within = createDeadline(deadlineMs, "redis did not answer in time");
  const nodes = new Map<string, { failures: number; restUntil: number }>();

  const call = (key: string, command: string): Promise<RedisReply[]> =>
    redis.run({ size: 1, slot: () => slotOf(key), encode: () => command });
  const run = async (buckets: readonly Bucket[], cost: number): Promise<Taken[]> => {
    const key = buckets[0]?.key ?? "";
    let [reply] = await call(key, encodeTake(runByHash, buckets, cost));
    // A server that started anew knows no scripts.
    if (isError(reply, "NOSCRIPT")) [reply] = await call(key, encodeTake(runBySource, buckets, cost));
    return readReply(buckets, reply);
  };

  return {
    isCluster: redis.isCluster,
    async take(buckets, cost) {
      const [first] = buckets;
      if (first === undefined) return [];
      const address = redis.readyNode(first.key);
      if (address === undefined) throw new Error("redis is not connected");
      let node = nodes.get(address);
      if (node === undefined) nodes.set(address, (node = { failures: 0, restUntil: 0 }));
      if (performance.now() < node.restUntil) throw new Error("redis did not answer lately");
      try {
        const taken = await within(run(buckets, cost));
        node.failures = 0;
        return taken;
      } catch (error) {
        node.failures += 1;
        if (node.failures >= failuresToRest) node.restUntil = performance.now() + restMs;
        throw error;
      }
    },
  };
}

const runByHash = encodeArgs(["EVALSHA", script.sha1]);
const runBySource = encodeArgs(["EVAL", script.source]);
/** What a rule adds to each command that takes from it. */
const ruleArgs = new WeakMap<Rule, string>();

/** As RESP, and from parts that are made once: it is made for each request. */
function encodeTake(command: string, buckets: readonly Bucket[], cost: number): string {
  let keys = "";
  let args = "";
  for (const { key, rule } of buckets) {
    keys += encodeArgs([key]);
    let sizes = ruleArgs.get(rule);
    if (sizes === undefined) {
      sizes = encodeArgs([rule.limit, rule.windowMs, rule.burst]);
      ruleArgs.set(rule, sizes);
    }
    args += sizes;
  }
  return `*${4 + 4 * buckets.length}\r\n${command}${encodeArgs([buckets.length])}${keys}${encodeArgs([cost])}${args}`;
}

function isError(reply: RedisReply | undefined, code: string): boolean {
  return reply instanceof RedisError && reply.message.startsWith(code);
}

function readReply(buckets: readonly Bucket[], reply: RedisReply | undefined): Taken[] {
  if (reply instanceof RedisError) throw reply;
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
