import type { Rule } from "./rules.ts";

/** One bucket to take from. */
export interface Bucket {
  readonly rule: Rule;
  /** In Redis: "rate:{identity}:rule:…". */
  readonly key: string;
}

/** What a bucket answered. */
export interface Taken {
  readonly rule: Rule;
  /** Whole tokens that are left. */
  readonly left: number;
  /** Until it holds the request's cost; 0 when the request passes. */
  readonly waitMs: number;
  readonly fullMs: number;
}

/** The size of a bucket. */
export interface Size {
  readonly limit: number;
  readonly windowMs: number;
  readonly burst: number;
}

/** A bucket's content, in 1/windowMs of a token, and the time of it in whole milliseconds. */
export interface Level {
  readonly level: number;
  readonly at: number;
}

/** The arithmetic of lua/token-bucket.lua, to the number. */
export function takeFrom(
  before: Level | undefined,
  { limit, windowMs, burst }: Size,
  cost: number,
  now: number,
): { readonly after: Level; readonly left: number; readonly waitMs: number; readonly fullMs: number } {
  const full = burst * windowMs;
  const price = cost * windowMs;
  let level = full;
  if (before !== undefined) {
    const elapsed = Math.max(0, now - before.at);
    const content = Math.min(full, before.level);
    if (elapsed < Math.ceil((full - content) / limit)) level = content + elapsed * limit;
  }
  const passes = level >= price;
  level = passes ? level - price : 0;
  return {
    after: { level, at: now },
    left: Math.floor(level / windowMs),
    waitMs: passes ? 0 : Math.ceil(price / limit),
    fullMs: Math.ceil((full - level) / limit),
  };
}
