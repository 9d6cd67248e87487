import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { hashRefreshToken, successorOf } from "./refresh-token.ts";
import type { RefreshDecision, RefreshState } from "./session.ts";
import { clientText, decideRefresh, sessionExpiry } from "./session.ts";

const dayMs = 86_400_000;
const policy = { idleMs: 30 * dayMs, maxAgeMs: 90 * dayMs, maxLive: 10, graceMs: 10_000 };
const startMs = Date.UTC(2026, 5, 1);

/** The tokens that a family can come to have, in order. */
function chain(length: number): string[] {
  const tokens = ["A".repeat(43)];
  while (tokens.length < length) tokens.push(successorOf(tokens.at(-1) ?? "", "secret"));
  return tokens;
}

/**
 * The rules in words, over the place of a token in the chain: the newest rotates; the one before repeats
 * for ten seconds; any other, and that one later, is a replay, after which nothing is good.
 */
function oracle(): (place: number, nowMs: number) => RefreshDecision {
  let newest = 0;
  let newestSinceMs = startMs;
  let over = false;
  return (place, nowMs) => {
    over ||= nowMs - newestSinceMs >= policy.idleMs || nowMs - startMs >= policy.maxAgeMs;
    if (over) return "dead";
    if (place === newest) {
      newest++;
      newestSinceMs = nowMs;
      return "rotate";
    }
    if (place === newest - 1 && nowMs - newestSinceMs < policy.graceMs) return "repeat";
    over = true;
    return "replayed";
  };
}

describe("decideRefresh", () => {
  it("follows the rules through any history of presented tokens and pauses", () => {
    const pauseMs = fc.oneof(
      fc.nat({ max: 12_000 }),
      fc.constantFrom(0, 9_999, 10_000, 29 * dayMs, 30 * dayMs - 1, 30 * dayMs),
    );
    const step = fc.record({ back: fc.constantFrom(0, 0, 0, 1, 1, 2, 3), pauseMs });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        const tokens = chain(steps.length + 1);
        const hashes = tokens.map(hashRefreshToken);
        const expected = oracle();
        let place = 0;
        let nowMs = startMs;
        let state: RefreshState = {
          tokenHash: hashes[0] ?? Buffer.alloc(0),
          previousTokenHash: null,
          rotatedAt: new Date(startMs),
          expiresAt: sessionExpiry(startMs, new Date(startMs), policy),
          endedAt: null,
        };
        for (const { back, pauseMs: pause } of steps) {
          nowMs += pause;
          const now = new Date(nowMs);
          const presented = Math.max(0, place - back);
          const hash = hashes[presented] ?? Buffer.alloc(0);
          const decision = decideRefresh(state, hash, now, policy);
          expect(decision).toBe(expected(presented, nowMs));
          if (decision === "replayed") state = { ...state, endedAt: now };
          if (decision !== "rotate") continue;
          place++;
          state = {
            tokenHash: hashes[place] ?? Buffer.alloc(0),
            previousTokenHash: state.tokenHash,
            rotatedAt: now,
            expiresAt: sessionExpiry(startMs, now, policy),
            endedAt: null,
          };
        }
      }),
    );
  });
});

describe("clientText", () => {
  it("is at most 200 characters without control characters", () => {
    expect(clientText("Mozilla/5.0\r\nX: y\0")).toBe("Mozilla/5.0X: y");
    expect(clientText("x".repeat(5_000))).toHaveLength(200);
    expect(clientText(`${"x".repeat(199)}\u{1f426}`).isWellFormed()).toBe(true);
  });
});
