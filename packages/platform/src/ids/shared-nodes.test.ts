import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { EPOCH_MS } from "./id-layout.ts";
import { createIdMinter, type IdMinter, maxAheadMs } from "./id-minter.ts";

const startMs = EPOCH_MS + 10_000_000;
/** Short, so that few steps make leases expire and clocks meet. */
const leaseMs = 20;
const processCount = 3;
const nodeNumbers = [0, 1];

/** What happens to processes that share few nodes. */
type Step =
  | { kind: "mint"; process: number; count: number }
  | { kind: "pass"; ms: number }
  | { kind: "set clock"; process: number; ms: number }
  | { kind: "suspend or resume"; process: number }
  | { kind: "renew"; process: number }
  | { kind: "restart"; process: number; release: boolean };

const process = fc.nat(processCount - 1);
const few = fc.integer({ min: 1, max: 3 });
const many = fc.integer({ min: 4_000, max: 9_000 });
const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: fc.record({ kind: fc.constant("mint"), process, count: few }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant("mint"), process, count: many }) },
    {
      weight: 4,
      arbitrary: fc.record({ kind: fc.constant("pass"), ms: fc.oneof(few, fc.constantFrom(25, 1_100)) }),
    },
    {
      weight: 4,
      arbitrary: fc.record({
        kind: fc.constant("set clock"),
        process,
        ms: fc.oneof(fc.integer({ min: -3, max: 3 }), fc.constantFrom(-900, 900, -1_500, 1_500, 100_000)),
      }),
    },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant("suspend or resume"), process }) },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant("renew"), process }) },
    { weight: 4, arbitrary: fc.record({ kind: fc.constant("restart"), process, release: fc.boolean() }) },
  ) as fc.Arbitrary<Step>,
  { minLength: 20, maxLength: 80 },
);

interface Process {
  holder: string;
  node: number;
  minter: IdMinter;
  lastId: bigint;
  /** How far its wall clock is off. */
  offsetMs: number;
  /** The monotonic clock of a suspended machine stands still, so its lease seems to live on. */
  suspended: boolean;
  suspendedMs: number;
}

/** Plays a history by the rules of the statements on id_nodes; returns how many ids were made. */
function play(history: readonly Step[]): number {
  const rows = nodeNumbers.map((node) => ({ node, holder: "", expiresAtMs: 0, highWaterMs: 0 }));
  const made = new Set<bigint>();
  let realMs = 0;
  let starts = 0;

  const wallMs = (p: Process) => startMs + realMs + p.offsetMs;
  const monotonicMs = (p: Process) => realMs - p.suspendedMs;
  const rowOf = (p: Process) => rows.find(({ node, holder }) => node === p.node && holder === p.holder);

  const start = (p: Process) => {
    p.minter = createIdMinter({ wallMs: () => wallMs(p), monotonicMs: () => monotonicMs(p) });
    p.holder = `process ${starts++}`;
    p.lastId = -1n;
    renew(p);
  };

  const renew = (p: Process) => {
    const claimedMs = wallMs(p) + leaseMs + maxAheadMs;
    const validUntilMs = monotonicMs(p) + leaseMs * 0.9;
    const held = rowOf(p);
    if (held !== undefined) {
      Object.assign(held, {
        expiresAtMs: realMs + leaseMs,
        highWaterMs: Math.max(held.highWaterMs, claimedMs),
      });
      p.minter.grant({ node: held.node, floorMs: 0, highWaterMs: held.highWaterMs, validUntilMs });
      return;
    }
    p.minter.revoke();
    const free = rows.find((row) => row.expiresAtMs <= realMs && row.highWaterMs < wallMs(p));
    if (free === undefined) return;
    p.node = free.node;
    p.minter.grant({ node: free.node, floorMs: free.highWaterMs, highWaterMs: claimedMs, validUntilMs });
    Object.assign(free, { holder: p.holder, expiresAtMs: realMs + leaseMs, highWaterMs: claimedMs });
  };

  const mint = (p: Process, count: number) => {
    for (let n = 0; n < count && p.minter.obstacle() === undefined; n++) {
      const id = p.minter.next();
      if (id <= p.lastId) throw new Error(`not ascending: ${id} after ${p.lastId}`);
      if (made.has(id)) throw new Error(`made twice: ${id}`);
      p.lastId = id;
      made.add(id);
    }
  };

  const all = Array.from({ length: processCount }, (_, index): Process => {
    const minter = createIdMinter({ wallMs: () => 0, monotonicMs: () => 0 });
    return {
      holder: `${index}`,
      node: -1,
      minter,
      lastId: -1n,
      offsetMs: 0,
      suspended: false,
      suspendedMs: 0,
    };
  });
  all.forEach(start);
  for (const step of history) {
    if (step.kind === "pass") {
      for (const p of all) if (p.suspended) p.suspendedMs += step.ms;
      realMs += step.ms;
      continue;
    }
    const p = all[step.process];
    if (p === undefined) throw new Error("there is no such process");
    if (step.kind === "mint") mint(p, step.count);
    if (step.kind === "set clock") p.offsetMs += step.ms;
    if (step.kind === "suspend or resume") p.suspended = !p.suspended;
    if (step.kind === "renew") renew(p);
    if (step.kind === "restart") {
      const lastMs = p.minter.revoke();
      const held = rowOf(p);
      if (step.release && held !== undefined)
        Object.assign(held, { expiresAtMs: realMs, highWaterMs: lastMs });
      start(p);
    }
  }
  return made.size;
}

describe("processes that share nodes", () => {
  it("never make an id twice, and each in ascending order, whatever the clocks do", () => {
    let made = 0;
    fc.assert(
      fc.property(steps, (history) => {
        made += play(history);
      }),
      { numRuns: 2_000 },
    );
    expect(made).toBeGreaterThan(100_000);
  });
});
