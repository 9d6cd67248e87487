import { addressGroup } from "../identity/client-address.ts";
import type { Bucket, Taken } from "./bucket.ts";
import type { LocalBuckets } from "./local-buckets.ts";
import type { RedisBuckets } from "./redis-buckets.ts";
import type { Rule } from "./rules.ts";

/** Whose tokens a request takes. */
export interface Subject {
  readonly address: string;
  /** Undefined when nobody is signed in. */
  readonly userId: string | undefined;
  /** The route's name; "" when there is none. */
  readonly route: string;
  readonly method: string;
}

/** The outcome for a request. */
export type Verdict =
  | { readonly kind: "passed"; readonly tightest: Taken | undefined }
  | { readonly kind: "denied"; readonly tightest: Taken }
  /** A rule that fails closed could not be asked. */
  | { readonly kind: "unknown"; readonly cause: unknown };

export interface Limiter {
  /**
   * Takes the cost from a bucket of each rule that applies in one call to Redis; in a cluster in one for the rules of the
   * address and one for those of the user, at once. A request that one rule denies has still spent in the others.
   */
  take(rules: readonly Rule[], subject: Subject, cost: number): Promise<Verdict>;
}

export function createLimiter(options: {
  readonly redis: RedisBuckets;
  readonly local: LocalBuckets;
  /** Called for each call that Redis did not answer. */
  readonly onRedisFailure: (error: unknown) => void;
}): Limiter {
  const { redis, local, onRedisFailure } = options;

  const takeGroup = async (buckets: readonly Bucket[], cost: number): Promise<Verdict> => {
    try {
      return judge(await redis.take(buckets, cost));
    } catch (error) {
      onRedisFailure(error);
      if (buckets.some(({ rule }) => rule.fail === "closed")) return { kind: "unknown", cause: error };
      return judge(
        local.take(
          buckets.filter(({ rule }) => rule.fail === "local"),
          cost,
        ),
      );
    }
  };

  return {
    async take(rules, subject, cost) {
      const groups = groupBuckets(rules, subject, redis.isCluster);
      const [first, ...others] = groups;
      if (first === undefined) return { kind: "passed", tightest: undefined };
      if (others.length === 0) return takeGroup(first, cost);
      return combine(await Promise.all(groups.map((buckets) => takeGroup(buckets, cost))));
    },
  };
}

/** All buckets together or, for a cluster, by identity, so that each group lies in one slot. */
function groupBuckets(rules: readonly Rule[], subject: Subject, byIdentity: boolean): Bucket[][] {
  const address: Bucket[] = [];
  const user: Bucket[] = byIdentity ? [] : address;
  const { userId } = subject;
  for (const rule of rules) {
    const { key, match } = rule;
    if (match.signedIn !== undefined && match.signedIn !== (userId !== undefined)) continue;
    if (key.includes("user")) {
      if (userId !== undefined) user.push(bucketOf(rule, `user:${userId}`, subject));
    } else {
      address.push(bucketOf(rule, `ip:${addressGroup(subject.address)}`, subject));
    }
  }
  return (byIdentity ? [address, user] : [address]).filter((group) => group.length > 0);
}

function bucketOf(rule: Rule, identity: string, { address, route, method }: Subject): Bucket {
  // The window is part of the name, since a bucket's content is counted in parts of it.
  let key = `rate:{${identity}}:${rule.name}:${rule.windowMs}`;
  if (rule.key.includes("user") && rule.key.includes("ip")) key += `:${addressGroup(address)}`;
  if (rule.key.includes("route")) key += `:${route}`;
  if (rule.key.includes("method")) key += `:${method}`;
  return { rule, key };
}

function judge(taken: readonly Taken[]): Verdict {
  let tightest: Taken | undefined;
  for (const each of taken) if (tightest === undefined || isTighter(each, tightest)) tightest = each;
  return tightest !== undefined && tightest.waitMs > 0
    ? { kind: "denied", tightest }
    : { kind: "passed", tightest };
}

/** Of two verdicts on one request, the one to tell. */
export function combine(verdicts: readonly Verdict[]): Verdict {
  const unknown = verdicts.find(({ kind }) => kind === "unknown");
  if (unknown !== undefined) return unknown;
  return judge(
    verdicts.flatMap((verdict) => ("tightest" in verdict && verdict.tightest ? [verdict.tightest] : [])),
  );
}

function isTighter(a: Taken, b: Taken): boolean {
  if (a.waitMs !== b.waitMs) return a.waitMs > b.waitMs;
  return a.left / a.rule.burst < b.left / b.rule.burst;
}
