import { describe, expect, it } from "vitest";
import { EPOCH_MS, idTimeMs, maxSequence } from "./id-layout.ts";
import { createIdMinter, type Grant, maxAheadMs } from "./id-minter.ts";

const startMs = EPOCH_MS + 10_000_000;
const leaseMs = 30_000;

/** A clock that moves only when it is told to. */
function handClock() {
  const clock = { wall: startMs, monotonic: 0 };
  return { clock, wallMs: () => clock.wall, monotonicMs: () => clock.monotonic };
}

function grantAt(wallMs: number, monotonicMs: number, node = 1): Grant {
  return {
    node,
    floorMs: 0,
    highWaterMs: wallMs + leaseMs + maxAheadMs,
    validUntilMs: monotonicMs + leaseMs,
  };
}

describe("a minter", () => {
  it("makes nothing without a grant, at its end, or after it was revoked", () => {
    const clock = handClock();
    const minter = createIdMinter(clock);
    const refused = expect.objectContaining({ reason: "UNAVAILABLE" });
    expect(() => minter.next()).toThrow(refused);

    minter.grant(grantAt(startMs, 0));
    const id = minter.next();
    expect(idTimeMs(id)).toBe(startMs);
    clock.clock.monotonic = leaseMs;
    expect(() => minter.next()).toThrow(refused);

    minter.grant(grantAt(startMs, leaseMs));
    expect(minter.next()).toBeGreaterThan(id);
    expect(minter.revoke()).toBe(startMs);
    expect(() => minter.next()).toThrow(refused);
    expect(minter.obstacle()).toBeDefined();
  });

  it("goes on with its last millisecond while the clock is set back by up to a second", () => {
    const clock = handClock();
    const minter = createIdMinter(clock);
    minter.grant(grantAt(startMs, 0));
    const before = minter.next();
    clock.clock.wall -= maxAheadMs;
    const after = minter.next();
    expect(after).toBe(before + 1n);

    clock.clock.wall -= 1;
    expect(minter.obstacle()).toMatch(/1001 ms behind/);
    expect(() => minter.next()).toThrow(/1001 ms behind/);
    clock.clock.wall = startMs;
    expect(minter.obstacle()).toBeUndefined();
    expect(minter.next()).toBeGreaterThan(after);
  });

  it("borrows from later milliseconds when the sequence is used up, up to a second of them", () => {
    const clock = handClock();
    const minter = createIdMinter(clock);
    minter.grant(grantAt(startMs, 0));
    const span = maxSequence + 1;
    let last = 0n;
    for (let made = 0; made < 3 * span; made++) {
      const id = minter.next();
      if (id <= last) throw new Error("not ascending");
      last = id;
    }
    expect(idTimeMs(last)).toBe(startMs + 2);
    for (let made = 3 * span; made < (maxAheadMs + 1) * span; made++) last = minter.next();
    expect(idTimeMs(last)).toBe(startMs + maxAheadMs);
    expect(() => minter.next()).toThrow(/behind the last id/);
  });

  it("makes nothing above the high water, however far the clock goes", () => {
    const clock = handClock();
    const minter = createIdMinter(clock);
    minter.grant(grantAt(startMs, 0));
    clock.clock.wall += leaseMs + maxAheadMs;
    expect(idTimeMs(minter.next())).toBe(clock.clock.wall);
    clock.clock.wall += 1;
    expect(() => minter.next()).toThrow(/ahead of the id node's lease/);
  });

  it("starts above the floor of a node", () => {
    const clock = handClock();
    const minter = createIdMinter(clock);
    minter.grant({ ...grantAt(startMs, 0), floorMs: startMs + 500 });
    expect(idTimeMs(minter.next())).toBe(startMs + 501);
  });

  it("stays ascending when it is moved to a lower node within a millisecond", () => {
    const clock = handClock();
    const minter = createIdMinter(clock);
    minter.grant(grantAt(startMs, 0, 7));
    const last = minter.next();
    minter.grant(grantAt(startMs, 0, 3));
    expect(minter.next()).toBeGreaterThan(last);
  });

  it("makes nothing while the clock reads a time before the epoch", () => {
    const clock = handClock();
    const minter = createIdMinter(clock);
    clock.clock.wall = 0;
    minter.grant(grantAt(0, 0));
    expect(() => minter.next()).toThrow(/behind/);
  });
});
