import { describe, expect, it } from "vitest";
import type { Bucket } from "./bucket.ts";
import { createLimiter, type Subject } from "./limiter.ts";
import { createLocalBuckets } from "./local-buckets.ts";
import type { Rule } from "./rules.ts";

const rule = (name: string, more: Partial<Rule> = {}): Rule => ({
  name,
  match: {},
  key: ["ip"],
  limit: 1,
  windowMs: 60_000,
  burst: 2,
  fail: "local",
  ...more,
});

const subject: Subject = { address: "203.0.113.1", userId: undefined, route: "GET /a", method: "GET" };

/** A limiter whose far buckets are in memory too, and the keys of each call to them. */
function createTestLimiter({ isAway = false, isCluster = true } = {}) {
  const calls: string[][] = [];
  const dryRuns: string[] = [];
  const far = createLocalBuckets(1, () => 0);
  const limiter = createLimiter({
    redis: {
      isCluster,
      async take(buckets: readonly Bucket[], cost: number) {
        if (isAway) throw new Error("away");
        calls.push(buckets.map(({ key }) => key));
        return far.take(buckets, cost);
      },
    },
    local: createLocalBuckets(2, () => 0),
    onRedisFailure: () => undefined,
    onDryRun: ({ name }) => dryRuns.push(name),
  });
  return { limiter, calls, dryRuns };
}

describe("a limiter", () => {
  it("asks a cluster once for the address and once for the user, each under one hash tag", async () => {
    const { limiter, calls } = createTestLimiter();
    const rules = [
      rule("a"),
      rule("b", { key: ["user"] }),
      rule("c", { key: ["ip", "route", "method"] }),
      rule("d", { key: ["user", "ip"] }),
    ];
    await limiter.take(rules, { ...subject, userId: "42" }, 1);
    expect(calls).toEqual([
      ["rate:{ip:203.0.113.1}:a:60000", "rate:{ip:203.0.113.1}:c:60000:GET /a:GET"],
      ["rate:{user:42}:b:60000", "rate:{user:42}:d:60000:203.0.113.1"],
    ]);
  });

  it("asks once for everything where there is one node", async () => {
    const { limiter, calls } = createTestLimiter({ isCluster: false });
    await limiter.take([rule("a"), rule("b", { key: ["user"] })], { ...subject, userId: "42" }, 1);
    expect(calls).toEqual([["rate:{ip:203.0.113.1}:a:60000", "rate:{user:42}:b:60000"]]);
  });

  it("counts by a header, each value in a bucket and all who leave it out in one", async () => {
    const { limiter, calls } = createTestLimiter();
    const rules = [rule("tenant", { key: ["ip", "header:x-tenant"], headers: ["x-tenant"] })];
    for (const rawHeaders of [["X-Tenant", "blue"], [], ["x-tenant", `${"x".repeat(65)}:{y}`]]) {
      await limiter.take(rules, { ...subject, rawHeaders }, 1);
    }
    expect(calls.flat()).toEqual([
      "rate:{ip:203.0.113.1}:tenant:60000:blue",
      "rate:{ip:203.0.113.1}:tenant:60000:47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU",
      expect.stringMatching(/^rate:\{ip:203\.0\.113\.1\}:tenant:60000:[\w-]{43}$/),
    ]);
  });

  it("denies nobody by a dry run, and tells whom it would have denied", async () => {
    for (const isAway of [false, true]) {
      const { limiter, dryRuns } = createTestLimiter({ isAway });
      const rules = [rule("dry", { dryRun: true, burst: 1 }), rule("real", { burst: 100 })];
      const verdicts = [];
      for (let i = 0; i < 3; i += 1) verdicts.push(await limiter.take(rules, subject, 1));
      expect(
        verdicts.map((each) => `${each.kind} ${"tightest" in each ? each.tightest?.rule.name : ""}`),
      ).toEqual(["passed real", "passed real", "passed real"]);
      expect(dryRuns.length).toBeGreaterThan(0);
      expect(new Set(dryRuns)).toEqual(new Set(["dry"]));
    }
  });

  it("asks nothing when no rule applies", async () => {
    const { limiter, calls } = createTestLimiter();
    expect(await limiter.take([rule("user", { key: ["user"] })], subject, 1)).toEqual({
      kind: "passed",
      tightest: undefined,
    });
    expect(calls).toEqual([]);
  });

  it("tells those who are signed in from those who are not", async () => {
    const rules = [
      rule("member", { match: { signedIn: true } }),
      rule("stranger", { match: { signedIn: false } }),
    ];
    const { limiter, calls } = createTestLimiter();
    await limiter.take(rules, subject, 1);
    await limiter.take(rules, { ...subject, userId: "42" }, 1);
    expect(calls.flat()).toEqual([
      "rate:{ip:203.0.113.1}:stranger:60000",
      "rate:{ip:203.0.113.1}:member:60000",
    ]);
  });

  it("tells of the rule that leaves the least, and of a denial before all", async () => {
    const { limiter } = createTestLimiter();
    const rules = [rule("wide", { burst: 100 }), rule("narrow")];
    const names = [];
    for (let i = 0; i < 3; i += 1) {
      const { kind, ...verdict } = await limiter.take(rules, subject, 1);
      names.push(`${kind} ${"tightest" in verdict ? verdict.tightest?.rule.name : ""}`);
    }
    expect(names).toEqual(["passed narrow", "passed narrow", "denied narrow"]);
  });

  it("does by each rule what it says when the far buckets are away", async () => {
    const { limiter } = createTestLimiter({ isAway: true });
    const kinds = async (rules: readonly Rule[]): Promise<string[]> => {
      const all = [];
      for (let i = 0; i < 3; i += 1) all.push((await limiter.take(rules, subject, 1)).kind);
      return all;
    };
    expect(await kinds([rule("local")])).toEqual(["passed", "denied", "denied"]);
    expect(await kinds([rule("open", { fail: "open" })])).toEqual(["passed", "passed", "passed"]);
    expect(await kinds([rule("open", { fail: "open" }), rule("closed", { fail: "closed" })])).toEqual([
      "unknown",
      "unknown",
      "unknown",
    ]);
  });
});
