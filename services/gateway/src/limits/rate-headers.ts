import type { Taken } from "./bucket.ts";

/**
 * RateLimit and RateLimit-Policy (draft-ietf-httpapi-ratelimit-headers-10) for the rule that leaves the least.
 *
 * q and w: a bucket of q tokens comes back in w seconds. r: what is left. t: seconds until the bucket is full; of a
 * denied request, until one like it can pass, as in Retry-After.
 */
export function rateHeaders(taken: Taken): Record<string, string> {
  const { rule, left, waitMs, fullMs } = taken;
  const windowSeconds = Math.ceil((rule.burst * rule.windowMs) / rule.limit / 1000);
  const resetSeconds = waitMs > 0 ? retryAfterSeconds(taken) : Math.ceil(fullMs / 1000);
  return {
    "ratelimit-policy": `"${rule.name}";q=${rule.burst};w=${windowSeconds}`,
    ratelimit: `"${rule.name}";r=${left};t=${resetSeconds}`,
  };
}

/** Whole seconds, at least 1, after which the request's cost is there if nothing else is taken. */
export function retryAfterSeconds({ waitMs }: Taken): number {
  return Math.max(1, Math.ceil(waitMs / 1000));
}
