import { testLog, testPostgres, waitFor } from "@chirrup/testkit";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { isUniqueViolation, openPostgres, type Postgres } from "../src/postgres/index.ts";

const log = testLog();
let url: string;
let postgres: Postgres;

beforeAll(async () => {
  url = await (await testPostgres()).createDatabase();
  postgres = openPostgres({ url, applicationName: "test", log, maxConnections: 4 });
  await postgres.query({ name: "make", text: "create table numbers (number bigint primary key)" });
});
afterAll(() => postgres.close());

const pidOf = (): Promise<{ pid: number; n: bigint }[]> =>
  postgres.query({
    name: "pid-of",
    brief: true,
    text: "select pg_backend_pid() as pid, $1::int8 as n",
    values: [1n],
  });

async function outcomes(work: readonly Promise<unknown>[]): Promise<unknown[]> {
  const settled = await Promise.allSettled(work);
  return settled.map((each) => (each.status === "fulfilled" ? each.value : (each.reason as unknown)));
}

describe("brief statements", () => {
  it("share a connection while they are under way, up to 32 of them", async () => {
    const together = await Promise.all(Array.from({ length: 32 }, pidOf));
    expect(new Set(together.map(([row]) => row?.pid)).size).toBe(1);
    const more = await Promise.all(Array.from({ length: 33 }, pidOf));
    expect(new Set(more.map(([row]) => row?.pid)).size).toBe(2);
  });

  it("get each their own answer, and each their own refusal", async () => {
    const insert = (number: bigint): Promise<{ number: bigint }[]> =>
      postgres.query({
        name: "insert-number",
        brief: true,
        text: "insert into numbers values ($1) returning number",
        values: [number],
      });
    const [first, refused, last] = await outcomes([insert(1n), insert(1n), insert(2n)]);
    expect([first, last]).toEqual([[{ number: 1n }], [{ number: 2n }]]);
    expect(isUniqueViolation(refused)).toBe(true);
  });

  it("leave the other connections to transactions, and stay out of them", async () => {
    await postgres.transaction(async (tx) => {
      await tx.query({ name: "three", brief: true, text: "insert into numbers values (3)" });
      const [outside] = await postgres.query<{ count: bigint }>({
        name: "count-three",
        brief: true,
        text: "select count(*) from numbers where number = 3",
      });
      expect(outside?.count).toBe(0n);
    });
  });

  it("are prepared anew when the first of their name failed in that", async () => {
    await postgres.query({ name: "make-locked", text: "create table locked (number bigint)" });
    const hasty = openPostgres({ url, applicationName: "hasty", log, statementTimeoutMs: 300 });
    const until = Promise.withResolvers<void>();
    const held = Promise.withResolvers<void>();
    const holding = postgres.transaction(async (tx) => {
      await tx.query({ name: "lock", text: "lock table locked in access exclusive mode" });
      held.resolve();
      await until.promise;
    });
    try {
      await held.promise;
      const read = (): Promise<unknown[]> =>
        hasty.query({ name: "read-locked", brief: true, text: "select number from locked" });
      const tooLong = { reason: "UNAVAILABLE", message: "the database took too long" };
      expect(await outcomes([read(), read(), read()])).toMatchObject([tooLong, tooLong, tooLong]);
      until.resolve();
      await holding;
      expect(await Promise.all([read(), read()])).toEqual([[], []]);
    } finally {
      until.resolve();
      await holding;
      await hasty.close();
    }
  });

  it("fail together with their connection, and the next get another one", async () => {
    const sleep = (): Promise<unknown> =>
      postgres.query({ name: "sleep", brief: true, text: "select pg_sleep(60)" });
    const work = outcomes([sleep(), pidOf(), pidOf()]);
    await waitFor(async () => {
      const killed = await postgres.query({
        name: "kill",
        text: "select pg_terminate_backend(pid) from pg_stat_activity where query = 'select pg_sleep(60)' and state = 'active'",
      });
      return killed.length > 0;
    });
    const lost = { reason: "UNAVAILABLE" };
    expect(await work).toMatchObject([lost, lost, lost]);
    await expect(pidOf()).resolves.toHaveLength(1);
  });

  it("are waited for when the pool is closed", async () => {
    const own = openPostgres({ url, applicationName: "closing", log });
    const under = own.query({ name: "under-way", brief: true, text: "select pg_sleep(0.2)" });
    await waitFor(async () => {
      const active = await postgres.query({
        name: "active",
        text: "select from pg_stat_activity where query = 'select pg_sleep(0.2)' and state = 'active'",
      });
      return active.length > 0;
    });
    await own.close();
    await expect(under).resolves.toHaveLength(1);
  });
});
