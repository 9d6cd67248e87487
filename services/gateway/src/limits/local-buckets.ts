import { createLru } from "../lru.ts";
import { takeFrom, type Bucket, type Level, type Size, type Taken } from "./bucket.ts";

export interface LocalBuckets {
  take(buckets: readonly Bucket[], cost: number): Taken[];
}

/** Buckets that are remembered; a forgotten one is full again. */
const maxBuckets = 100_000;

/**
 * Buckets in this process's memory, each with the process's share of a rule: limit and burst ÷ gateways. Together the
 * gateways then let in what the rule allows, if the load is spread evenly among them.
 *
 * @param nowMs - A clock that is never set back. Default: the process's.
 */
export function createLocalBuckets(
  gateways: number,
  nowMs: () => number = () => performance.now(),
): LocalBuckets {
  const levels = createLru<string, Level>(maxBuckets);
  return {
    take(buckets, cost) {
      const now = Math.floor(nowMs());
      return buckets.map(({ rule, key }) => {
        const { after, left, waitMs, fullMs } = takeFrom(
          levels.get(key),
          share(rule, gateways, cost),
          cost,
          now,
        );
        levels.set(key, after);
        return { rule, left, waitMs, fullMs };
      });
    },
  };
}

/** At least what the request costs, or a small rule would let nobody in. */
function share({ limit, windowMs, burst }: Size, gateways: number, cost: number): Size {
  return {
    limit: Math.max(1, Math.floor(limit / gateways)),
    windowMs,
    burst: Math.max(cost, Math.floor(burst / gateways)),
  };
}
