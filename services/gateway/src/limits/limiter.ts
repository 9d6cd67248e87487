import { createHash } from "node:crypto";
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
  /** Names and values in turn, for the rules that ask for one. */
  readonly rawHeaders?: readonly string[];
}

/** The outcome for a request. */
export type Verdict =
  | { readonly kind: "passed"; readonly tightest: Taken | undefined }
  | { readonly kind: "denied"; readonly tightest: Taken }
  /** A rule that fails closed could not be asked. */
  | { readonly kind: "unknown"; readonly cause: unknown };

const nothingAsked: Verdict = { kind: "passed", tightest: undefined };

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
  /** Called for each request that a rule would have denied if it were no dry run. */
  readonly onDryRun?: (rule: Rule) => void;
  /** Called with the time that Redis took. */
  readonly onRedisAnswer?: (seconds: number) => void;
}): Limiter {
  const { redis, local, onRedisFailure, onDryRun, onRedisAnswer } = options;

  const takeGroup = async (buckets: readonly Bucket[], cost: number): Promise<Verdict> => {
    const startedMs = performance.now();
    try {
      const taken = await redis.take(buckets, cost);
      onRedisAnswer?.((performance.now() - startedMs) / 1_000);
      return judge(taken, onDryRun);
    } catch (error) {
      onRedisFailure(error);
      if (buckets.some(({ rule }) => rule.fail === "closed" && rule.dryRun !== true))
        return { kind: "unknown", cause: error };
      return judge(
        local.take(
          buckets.filter(({ rule }) => rule.fail === "local"),
          cost,
        ),
        onDryRun,
      );
    }
  };

  return {
    take(rules, subject, cost) {
      const groups = groupBuckets(rules, subject, redis.isCluster);
      const [first] = groups;
      if (first === undefined) return Promise.resolve(nothingAsked);
      if (groups.length === 1) return takeGroup(first, cost);
      return Promise.all(groups.map((buckets) => takeGroup(buckets, cost))).then(combine);
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

function bucketOf(rule: Rule, identity: string, subject: Subject): Bucket {
  const { address, route, method } = subject;
  // The window is part of the name, since a bucket's content is counted in parts of it.
  let key = `rate:{${identity}}:${rule.name}:${rule.windowMs}`;
  if (rule.key.includes("user") && rule.key.includes("ip")) key += `:${addressGroup(address)}`;
  if (rule.key.includes("route")) key += `:${route}`;
  if (rule.key.includes("method")) key += `:${method}`;
  if (rule.headers !== undefined) key += headerParts(rule.headers, subject.rawHeaders ?? []);
  return { rule, key };
}

const plainValue = /^[\w.-]{1,64}$/;

/** A client that leaves a header out shares a bucket with all that do. A long value is told by its digest. */
function headerParts(names: readonly string[], rawHeaders: readonly string[]): string {
  return names
    .map((name) => {
      const at = rawHeaders.findIndex((text, i) => i % 2 === 0 && text.toLowerCase() === name);
      const value = at === -1 ? "" : (rawHeaders[at + 1] ?? "");
      return `:${plainValue.test(value) ? value : createHash("sha256").update(value).digest("base64url")}`;
    })
    .join("");
}

function judge(taken: readonly Taken[], onDryRun?: (rule: Rule) => void): Verdict {
  let tightest: Taken | undefined;
  for (const each of taken) {
    if (each.rule.dryRun === true) {
      if (each.waitMs > 0) onDryRun?.(each.rule);
    } else if (tightest === undefined || isTighter(each, tightest)) tightest = each;
  }
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
