import { startPostgresPair, testLog, waitFor, type PairUrls, type PostgresPair } from "@chirrup/testkit";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { createMetrics } from "../src/metrics/index.ts";
import { openDatabase, type Database, type ReadTerms } from "../src/postgres/index.ts";

const consistencySecret = "a secret of the tests, long enough for one";
let pair: PostgresPair;
let urls: PairUrls;
let database: Database;
let lastValue = 0n;

/** By default so patient that a busy machine makes no difference. */
function open(
  options: { url?: string; replicaUrl?: string; service?: string; maxLagMs?: number; waitMs?: number } = {},
) {
  const metrics = createMetrics({ service: "test" });
  const opened = openDatabase({
    url: urls.both,
    replicaUrl: urls.both,
    service: "test",
    maxLagMs: 60_000,
    waitMs: 20_000,
    ...options,
    consistencySecret,
    log: testLog(),
    metrics,
  });
  const valueOf = async (name: string): Promise<number | undefined> =>
    (await metrics.registry.getSingleMetric(name)?.get())?.values[0]?.value;
  return {
    ...opened,
    inRotation: async () => (await valueOf("postgres_replica_in_rotation")) === 1,
    lagSeconds: () => valueOf("postgres_replica_lag_seconds"),
  };
}

/** Writes a value that was never written before and gives the answer's token. */
async function write(db: Database = database): Promise<{ value: bigint; token: string }> {
  const value = ++lastValue;
  await db.primary.query({ name: "write", text: "update facts set value = $1", values: [value] });
  return { value, token: (await db.tokens?.afterWrite()) ?? "" };
}

/** What a call of these terms reads, and of whom. */
async function read(terms: Partial<ReadTerms> = {}, db: Database = database) {
  const [row] = await db.reads
    .of({ consistency: [], readsPrimary: false, ...terms })
    .query<{ value: bigint; standby: boolean }>({
      name: "read",
      text: "select value, pg_is_in_recovery() as standby from facts",
    });
  if (row === undefined) throw new Error("no row");
  return { value: row.value, from: row.standby ? "replica" : "primary" };
}

async function fresh(db: ReturnType<typeof open>): Promise<void> {
  await waitFor(db.inRotation, { what: "the replica to be in the rotation" });
}

beforeAll(async () => {
  pair = await startPostgresPair();
  urls = await pair.createDatabase();
  database = open();
  await database.primary.query({ name: "make", text: "create table facts as select 0::bigint as value" });
  await fresh(database as ReturnType<typeof open>);
  const { token } = await write();
  await waitFor(async () => (await read({ consistency: [token] })).from === "replica");
});
afterAll(async () => {
  await database.close();
  await pair[Symbol.asyncDispose]();
});

describe("a read", () => {
  it("goes to the replica, unless something is decided by it", async () => {
    expect((await read()).from).toBe("replica");
    expect((await read({ readsPrimary: true })).from).toBe("primary");
  });

  it("that carries a token waits for the replica to have come that far", async () => {
    await pair.pause();
    const { value, token } = await write();
    const reading = read({ consistency: [token] });
    await pair.resume();
    expect(await reading).toEqual({ value, from: "replica" });
  });

  it("goes to the primary when the wait was in vain", async () => {
    const db = open({ waitMs: 50 });
    onTestFinished(() => db.close());
    await fresh(db);
    await pair.pause();
    onTestFinished(() => pair.resume());
    const { value, token } = await write(db);
    expect(await read({ consistency: [token] }, db)).toEqual({ value, from: "primary" });
    // Planted: without its token the same read misses the write.
    expect((await read({}, db)).value).toBeLessThan(value);
  });

  it("is answered from the primary for a token of another timeline", async () => {
    // Made by a service that does not know where its log ends: timeline 0.
    const away = open({ url: urls.second, replicaUrl: urls.second });
    onTestFinished(() => away.close());
    const unknown = (await away.tokens?.afterWrite()) ?? "";
    expect(unknown).toMatch(/^test\.[\w-]{46}$/);
    expect((await read({ consistency: [unknown] })).from).toBe("primary");
  });

  it("passes over tokens that are forged, junk or another service's", async () => {
    await pair.pause();
    onTestFinished(() => pair.resume());
    const { token } = await write();
    const another = open({ service: "other" });
    onTestFinished(() => another.close());
    const ofAnother = (await another.tokens?.afterWrite()) ?? "";
    const forged = [
      `${token.slice(0, -3)}AAA`,
      `other.${token.slice("test.".length)}`,
      ofAnother,
      `test.${ofAnother.slice("other.".length)}`,
      token.slice(0, -1),
      `${token}A`,
      "test.",
      "",
      "test.=%/",
    ];
    expect((await read({ consistency: forged })).from).toBe("replica");
  });
});

describe("what a replica does not have yet", () => {
  it("is looked for on the primary, and nothing else is", async () => {
    await pair.pause();
    onTestFinished(() => pair.resume());
    const { value } = await write();
    const terms = { consistency: [], readsPrimary: false };
    const seek = (least: bigint) =>
      database.reads.whole(
        terms,
        async (db) =>
          db.query<{ value: bigint; standby: boolean }>({
            name: "seek",
            text: "select value, pg_is_in_recovery() as standby from facts where value >= $1",
            values: [least],
          }),
        (found) => found.length > 0,
      );
    expect(await seek(value)).toEqual([{ value, standby: false }]);
    expect(await seek(0n)).toMatchObject([{ standby: true }]);
  });
});

describe("a replica", () => {
  it("that lags leaves the rotation and comes back by itself", async () => {
    const maxLagMs = 500;
    const db = open({ maxLagMs });
    onTestFinished(() => db.close());
    await fresh(db);
    await pair.pause();
    await write(db);
    await waitFor(async () => !(await db.inRotation()), { what: "the lagging replica to leave" });
    expect(await db.lagSeconds()).toBeGreaterThan(maxLagMs / 1_000);
    expect((await read({}, db)).from).toBe("primary");
    await pair.resume();
    await fresh(db);
    expect((await read({}, db)).from).toBe("replica");
  });

  it("that is gone is replaced by the primary within the read, and comes back by itself", async () => {
    const db = open();
    onTestFinished(() => db.close());
    await fresh(db);
    await pair.stopReplica();
    const { value } = await write(db);
    expect(await read({}, db)).toEqual({ value, from: "primary" });
    await waitFor(async () => !(await db.inRotation()));
    await pair.startReplica();
    await fresh(db);
    expect((await read({}, db)).from).toBe("replica");
  });

  it("that nobody can reach at the start does not keep the database from opening", async () => {
    const db = open({ replicaUrl: urls.second.replace(/:\d+\//, ":1/") });
    onTestFinished(() => db.close());
    expect((await read({}, db)).from).toBe("primary");
  });
});

describe("a promotion", () => {
  it("is survived by who knows both servers, and old tokens read the new primary", async () => {
    const db = open();
    onTestFinished(() => db.close());
    await fresh(db);
    const before = await write(db);
    await waitFor(async () => (await read({ consistency: [before.token] }, db)).from === "replica");
    await pair.promote();
    await waitFor(async () => (await write(db)).token !== "");
    const after = await write(db);
    expect((await read({ consistency: [before.token] }, db)).from).toBe("primary");
    expect(await read({ consistency: [after.token] }, db)).toEqual({ value: after.value, from: "primary" });
    await waitFor(async () => !(await db.inRotation()), { what: "the promoted server to leave" });

    await pair.rejoin();
    await fresh(db);
    const last = await write(db);
    expect(await read({ consistency: [last.token] }, db)).toEqual({ value: last.value, from: "replica" });
    expect((await read({ consistency: [before.token] }, db)).from).toBe("primary");
  });
});
