import { describe, expect, it } from "vitest";
import { createLagMeter } from "./replica-lag.ts";
import { includes, parseLsn } from "./wal-position.ts";

function start() {
  const clock = { ms: 0 };
  const meter = createLagMeter(() => clock.ms);
  const at = (lsn: bigint, timeline = 1) => ({ timeline, lsn });
  return {
    clock,
    meter,
    primary: (lsn: bigint, timeline?: number) => meter.primaryIsAt(at(lsn, timeline)),
    replica: (lsn: bigint, timeline?: number) => meter.replicaIsAt(at(lsn, timeline)),
  };
}

describe("the lag of a replica", () => {
  it("is not known before it has come to where the primary was seen, however long that takes", () => {
    const { clock, meter, primary, replica } = start();
    primary(100n);
    replica(50n);
    expect(meter.lagMs()).toBeUndefined();
    clock.ms = 60_000;
    primary(900n);
    replica(99n);
    expect(meter.lagMs()).toBeUndefined();
    replica(100n);
    expect(meter.lagMs()).toBe(0);
  });

  it("is the time since the primary was first seen with something that the replica lacks", () => {
    const { clock, meter, primary, replica } = start();
    primary(100n);
    replica(100n);
    for (const lsn of [110n, 120n, 130n]) {
      clock.ms += 500;
      primary(lsn);
    }
    expect(meter.lagMs()).toBe(1_000);
    clock.ms += 50;
    replica(125n);
    expect(meter.lagMs()).toBe(50);
    replica(130n);
    expect(meter.lagMs()).toBe(0);
  });

  it("is 0 while nobody writes, and stays true over hours of it", () => {
    const { clock, meter, primary, replica } = start();
    replica(100n);
    for (let sample = 0; sample < 1_000; sample++) {
      clock.ms += 500;
      primary(100n);
    }
    expect(meter.lagMs()).toBe(0);
    const since = clock.ms;
    for (let lsn = 200n; lsn < 1_200n; lsn++) {
      clock.ms += 500;
      primary(lsn);
    }
    // What was seen is thinned out, so this is short by little.
    expect(meter.lagMs()).toBeGreaterThan((clock.ms - since) * 0.9);
    replica(1_199n);
    expect(meter.lagMs()).toBe(0);
  });

  it("is not known after a promotion until the replica follows it", () => {
    const { meter, primary, replica } = start();
    primary(100n);
    replica(100n);
    primary(110n, 2);
    expect(meter.lagMs()).toBeUndefined();
    replica(500n, 1);
    expect(meter.lagMs()).toBeUndefined();
    replica(110n, 2);
    expect(meter.lagMs()).toBe(0);
  });
});

describe("a position", () => {
  it("is read from pg_lsn's text as 64 bits", () => {
    expect(parseLsn("0/0")).toBe(0n);
    expect(parseLsn("16/B374D848")).toBe(0x16b374d848n);
    expect(parseLsn("FFFFFFFF/FFFFFFFF")).toBe(2n ** 64n - 1n);
  });

  it("is included by the same place and what comes after it, on its timeline alone", () => {
    const place = { timeline: 2, lsn: 10n };
    expect(includes(place, place)).toBe(true);
    expect(includes({ timeline: 2, lsn: 9n }, place)).toBe(false);
    expect(includes({ timeline: 3, lsn: 11n }, place)).toBe(false);
    expect(includes({ timeline: 1, lsn: 11n }, place)).toBe(false);
  });
});
