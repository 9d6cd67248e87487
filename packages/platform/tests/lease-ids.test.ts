import { setImmediate as nextTick } from "node:timers/promises";
import { testLog, testPostgres, waitFor } from "@chirrup/testkit";
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { systemClock } from "../src/ids/clock.ts";
import { leaseIds, type LeaseIdsOptions } from "../src/ids/lease-ids.ts";
import { idTimeMs, type Ids } from "../src/ids/index.ts";
import { createReadiness } from "../src/lifecycle/index.ts";
import { migrate, openPostgres, platformMigrations, type Postgres } from "../src/postgres/index.ts";
import { severableProxy } from "./severable-proxy.ts";

const log = testLog();
let url: string;
let postgres: Postgres;

beforeAll(async () => {
  url = await (await testPostgres()).createDatabase();
  await migrate({ url, folders: [platformMigrations], log });
  postgres = openPostgres({ url, applicationName: "test", log });
});
afterAll(() => postgres.close());
beforeEach(() =>
  postgres.query({
    name: "free",
    text: "update id_nodes set holder = '', expires_at = '-infinity', high_water_ms = 0",
  }),
);

/** Ids that are closed when the test ends. */
async function lease(options: Partial<LeaseIdsOptions> = {}): Promise<Ids & { kill(): void }> {
  const controller = new AbortController();
  const ids = await leaseIds({ postgres, log, signal: controller.signal, ...options });
  onTestFinished(() => ids.close());
  return { ...ids, kill: () => controller.abort() };
}

const nodeOf = (id: bigint): number => Number((id >> 12n) & 1023n);

/** An id, or undefined when none can be made. */
function nextOf(ids: Ids): bigint | undefined {
  try {
    return ids.next();
  } catch {
    return undefined;
  }
}

/** Leaves only these nodes free. */
async function leaveFree(count: number): Promise<void> {
  await postgres.query({
    name: "occupy",
    text: "update id_nodes set holder = 'another', expires_at = 'infinity' where node >= $1",
    values: [count],
  });
}

describe("leased ids", () => {
  it("come from a node of one's own, however many start at once", async () => {
    const leases = await Promise.all(Array.from({ length: 50 }, () => lease()));
    const nodes = leases.map((ids) => nodeOf(ids.next()));
    expect(new Set(nodes).size).toBe(50);
  });

  it("hold the time, and ascend", async () => {
    const ids = await lease();
    const before = Date.now();
    const made = Array.from({ length: 10_000 }, () => ids.next());
    expect(made).toEqual(made.toSorted((a, b) => (a < b ? -1 : 1)));
    expect(new Set(made).size).toBe(10_000);
    expect(idTimeMs(made[0] ?? 0n)).toBeGreaterThanOrEqual(before);
  });

  it("are refused with a reason when every node is taken", async () => {
    await leaveFree(0);
    await expect(lease()).rejects.toThrow(/none of the 1024 id nodes is free/);
  });

  it("give their node back at once when closed, and go on above the last one", async () => {
    await leaveFree(1);
    const first = await lease();
    const last = first.next();
    await first.close();
    expect(() => first.next()).toThrow(/no lease/);
    const second = await waitFor(() => lease());
    expect(nodeOf(second.next())).toBe(nodeOf(last));
    expect(second.next()).toBeGreaterThan(last);
  });

  it("are renewed for as long as the process lives", async () => {
    await leaveFree(1);
    const readiness = createReadiness();
    const ids = await lease({ leaseMs: 300, readiness });
    const startedAt = Date.now();
    await waitFor(() => {
      expect(readiness.report().checks).toEqual({ ids: "ok" });
      ids.next();
      return Date.now() - startedAt > 1_500;
    });
    await expect(lease({ leaseMs: 300 })).rejects.toThrow(/none of/);
  });

  it("of a killed process end before another one takes its node, which starts above them", async () => {
    await leaveFree(1);
    const killed = await lease({ leaseMs: 400 });
    killed.kill();
    let last = 0n;
    let next: Ids | undefined;
    const taking = waitFor(() => lease({ leaseMs: 400 })).then((ids) => (next = ids));
    // The killed one's own view: it mints for as long as it may.
    for (let id = nextOf(killed); id !== undefined; id = nextOf(killed)) {
      last = id;
      expect(next).toBeUndefined();
      await nextTick();
    }
    expect(next).toBeUndefined();
    const successor = await taking;
    expect(nodeOf(successor.next())).toBe(nodeOf(last));
    expect(successor.next()).toBeGreaterThan(last);
  });

  it("are never of two holders, with fewer nodes than processes that come and go", async () => {
    await leaveFree(3);
    const made = new Set<bigint>();
    const until = Date.now() + 3_000;
    let leases = 0;
    const live = async (index: number): Promise<void> => {
      while (Date.now() < until) {
        const controller = new AbortController();
        const ids = await leaseIds({ postgres, log, signal: controller.signal, leaseMs: 100 + index }).catch(
          () => undefined,
        );
        if (ids === undefined) continue;
        leases += 1;
        for (let n = 0; n < 50; n++) {
          const id = ids.next();
          if (made.has(id)) throw new Error(`made twice: ${id}`);
          made.add(id);
        }
        // Half of them leave without a word.
        if (leases % 2 === 0) controller.abort();
        else await ids.close();
      }
    };
    await Promise.all(Array.from({ length: 6 }, (_, index) => live(index)));
    expect(leases).toBeGreaterThan(6);
    expect(made.size).toBe(leases * 50);
  });

  it("stop when Postgres is away for longer than the lease, and go on when it is back", async () => {
    await using proxy = await severableProxy(url);
    const remote = openPostgres({ url: proxy.url, applicationName: "remote", log });
    const readiness = createReadiness();
    const controller = new AbortController();
    const ids = await leaseIds({ postgres: remote, log, readiness, signal: controller.signal, leaseMs: 600 });
    try {
      const before = ids.next();
      await proxy.sever();
      expect(ids.next()).toBeGreaterThan(before);
      await waitFor(() => !readiness.report().ready);
      expect(() => ids.next()).toThrow(expect.objectContaining({ reason: "UNAVAILABLE" }));
      await proxy.restore();
      await waitFor(() => readiness.report().ready);
      expect(ids.next()).toBeGreaterThan(before);
    } finally {
      await ids.close();
      await remote.close();
    }
  });

  it("are not made in the last tenth of a lease that was not renewed", async () => {
    let passedMs = 0;
    const ids = await lease({ clock: { ...systemClock, monotonicMs: () => passedMs }, leaseMs: 60_000 });
    passedMs = 53_999;
    ids.next();
    passedMs = 54_000;
    expect(() => ids.next()).toThrow(/no lease/);
    // Whoever asks in vain does not wait for the next renewal.
    await waitFor(() => ids.next());
  });

  it("move to another node when theirs was taken while the machine slept", async () => {
    let sleptMs = 0;
    const clock = { ...systemClock, wallMs: () => Date.now() + sleptMs };
    const ids = await lease({ clock, leaseMs: 20_000 });
    const before = ids.next();
    await postgres.query({
      name: "steal",
      text: "update id_nodes set holder = 'another', expires_at = 'infinity' where node = $1",
      values: [nodeOf(before)],
    });
    sleptMs = 3_600_000;
    expect(() => ids.next()).toThrow(/ahead of the id node's lease/);
    const after = await waitFor(() => ids.next());
    expect(nodeOf(after)).not.toBe(nodeOf(before));
    expect(after).toBeGreaterThan(before);
  });

  it("of a process whose clock was set back are refused, which its readiness tells", async () => {
    let offsetMs = 0;
    const readiness = createReadiness();
    const ids = await lease({ readiness, clock: { ...systemClock, wallMs: () => Date.now() + offsetMs } });
    ids.next();
    offsetMs = -60_000;
    expect(() => ids.next()).toThrow(/behind the last id/);
    expect(readiness.report().checks["ids"]).toMatch(/behind the last id/);
    offsetMs = 0;
    expect(readiness.report().ready).toBe(true);
    ids.next();
  });
});
