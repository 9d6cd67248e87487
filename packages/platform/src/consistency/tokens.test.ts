import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createTokenCodec } from "./tokens.ts";

const secret = "a secret of the tests, long enough for one";
const position = fc.record({
  timeline: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
  lsn: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
});

function codec(options: { service?: string; secret?: string; now?: () => number } = {}) {
  return createTokenCodec({ service: "post", secret, ttlMs: 30_000, ...options });
}

describe("consistency tokens", () => {
  it("give back every position, in text that a cookie and a header can carry", () => {
    fc.assert(
      fc.property(position, (made) => {
        const token = codec().encode(made);
        expect(token).toMatch(/^post\.[\w-]{46}$/);
        expect(codec().decode(["junk", token, "user.x"])).toEqual([made]);
      }),
    );
  });

  it("are nothing to another service, under another secret, and once their time is over", () => {
    const nowMs = Date.now();
    const token = codec({ now: () => nowMs }).encode({ timeline: 1, lsn: 7n });
    expect(codec({ now: () => nowMs + 29_999 }).decode([token])).toHaveLength(1);
    expect(codec({ now: () => nowMs + 30_000 }).decode([token])).toEqual([]);
    expect(codec({ secret: "another secret of the tests, as long" }).decode([token])).toEqual([]);
    expect(codec({ service: "user" }).decode([token])).toEqual([]);
    expect(codec({ service: "user" }).decode([token.replace("post", "user")])).toEqual([]);
  });

  it("do not survive the change of any bit", () => {
    fc.assert(
      fc.property(position, fc.nat({ max: 34 * 8 - 1 }), (made, bit) => {
        const token = codec().encode(made);
        const bytes = Buffer.from(token.slice("post.".length), "base64url");
        bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        expect(codec().decode([`post.${bytes.toString("base64url")}`])).toEqual([]);
      }),
    );
  });
});
