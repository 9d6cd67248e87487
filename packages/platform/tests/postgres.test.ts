import { testLog, testPostgres, waitFor } from "@chirrup/testkit";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { DomainError } from "../src/errors/index.ts";
import { isUniqueViolation, openPostgres, type Postgres, type Queryable } from "../src/postgres/index.ts";
import { severableProxy } from "./severable-proxy.ts";

const log = testLog();
let url: string;
let postgres: Postgres;

beforeAll(async () => {
  url = await (await testPostgres()).createDatabase();
  postgres = openPostgres({ url, applicationName: "test", log, maxConnections: 4 });
  await postgres.query({
    name: "make",
    text: "create table counters (name text primary key, value bigint not null)",
  });
});
afterAll(() => postgres.close());

function read(name: string, db: Queryable = postgres): Promise<{ value: bigint }[]> {
  return db.query({ name: "read", text: "select value from counters where name = $1", values: [name] });
}

async function write(name: string, value: bigint, db: Queryable = postgres): Promise<void> {
  await db.query({ name: "write", text: "insert into counters values ($1, $2)", values: [name, value] });
}

async function add(name: string, db: Queryable = postgres): Promise<void> {
  await db.query({
    name: "add",
    text: "update counters set value = value + 1 where name = $1",
    values: [name],
  });
}

/** The process id of the connection's server process: one for each connection. */
async function backend(db: Queryable): Promise<number> {
  const [row] = await db.query<{ pid: number }>({ name: "pid", text: "select pg_backend_pid() as pid" });
  if (row === undefined) throw new Error("no row");
  return row.pid;
}

async function failure(work: Promise<unknown>): Promise<DomainError> {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof DomainError)) throw new Error("not a DomainError", { cause: error });
  return error;
}

describe("a statement", () => {
  it("carries 64-bit integers as bigint, also in arrays, and bytes as they are", async () => {
    const id = 2n ** 63n - 1n;
    const bytes = new Uint8Array([0, 255, 92, 39]).subarray(1);
    const [row] = await postgres.query({
      name: "types",
      text: `select $1::int8 as id, $2::int8[] as ids, $3::bytea as bytes, array[[1::int8, null]] as nested, 7 as small,
        $4::int8[] as whole, $5::int8[] as none`,
      values: [id, [id, -id, null], bytes, [0n, id, -id - 1n], []],
    });
    expect(row).toEqual({
      id,
      ids: [id, -id, null],
      bytes: Buffer.from(bytes),
      nested: [[1n, null]],
      small: 7,
      whole: [0n, id, -id - 1n],
      none: [],
    });
  });

  it("is prepared once for a connection", async () => {
    await postgres.transaction(async (tx) => {
      await read("x", tx);
      await read("y", tx);
      const rows = await tx.query({
        name: "prepared",
        text: "select name from pg_prepared_statements where name = 'read'",
      });
      expect(rows).toHaveLength(1);
    });
  });

  it("that is refused leaves its connection in the pool", async () => {
    const single = openPostgres({ url, applicationName: "single", log, maxConnections: 1 });
    try {
      const before = await backend(single);
      await write("twice", 1n, single);
      const error: unknown = await write("twice", 1n, single).catch((reason: unknown) => reason);
      expect(isUniqueViolation(error)).toBe(true);
      expect(isUniqueViolation(error, "counters_pkey")).toBe(true);
      expect(isUniqueViolation(error, "other")).toBe(false);
      expect(await backend(single)).toBe(before);
    } finally {
      await single.close();
    }
  });

  it("that takes too long is stopped by the server, and is UNAVAILABLE", async () => {
    const hasty = openPostgres({ url, applicationName: "hasty", log, statementTimeoutMs: 50 });
    try {
      const error = await failure(hasty.query({ name: "sleep", text: "select pg_sleep(60)" }));
      expect(error).toMatchObject({ reason: "UNAVAILABLE", message: "the database took too long" });
      await hasty.ping();
    } finally {
      await hasty.close();
    }
  });

  it("that lost to another transaction is done again", async () => {
    await postgres.query({ name: "sequence", text: "create sequence attempts" });
    // A sequence keeps its value when the rest is rolled back.
    await postgres.query({
      name: "conflict once",
      text: "do $$ begin if nextval('attempts') = 1 then raise exception using errcode = '40P01'; end if; end $$",
    });
    const rows = await postgres.query({ name: "attempts", text: "select last_value from attempts" });
    expect(rows).toEqual([{ last_value: 2n }]);
  });
});

describe("a transaction", () => {
  it("commits what its body wrote and answers what it returned", async () => {
    expect(await postgres.transaction(async (tx) => (await write("committed", 1n, tx), "done"))).toBe("done");
    expect(await read("committed")).toEqual([{ value: 1n }]);
  });

  it("rolls back when its body throws, and throws that", async () => {
    const reason = new Error("no");
    const work = postgres.transaction(async (tx) => {
      await write("thrown", 1n, tx);
      throw reason;
    });
    await expect(work).rejects.toBe(reason);
    expect(await read("thrown")).toEqual([]);
  });

  it("does not pretend to have committed when its body swallows a failed statement", async () => {
    await write("swallowed", 1n);
    const work = postgres.transaction(async (tx) => {
      await write("swallowed too", 1n, tx);
      await write("swallowed", 1n, tx).catch(() => undefined);
    });
    await expect(work).rejects.toThrow("went on after a failed statement");
    expect(await read("swallowed too")).toEqual([]);
  });

  it("refuses statements after its end", async () => {
    const leaked = await postgres.transaction((tx) => Promise.resolve({ tx }));
    await expect(read("x", leaked.tx)).rejects.toThrow("after the end");
  });

  it("takes statements that are sent together, one after the other", async () => {
    const names = Array.from({ length: 20 }, (_, index) => `together ${index}`);
    await postgres.transaction((tx) => Promise.all(names.map((name) => write(name, 1n, tx))));
    const found = await Promise.all(names.map((name) => read(name)));
    expect(found.flat()).toHaveLength(20);

    const failing = postgres.transaction((tx) =>
      Promise.all([write("before", 1n, tx), write("together 0", 1n, tx), write("after", 1n, tx)]),
    );
    await expect(failing).rejects.toSatisfy((error) => isUniqueViolation(error));
    expect([...(await read("before")), ...(await read("after"))]).toEqual([]);
  });

  it("is run again after a deadlock", async () => {
    await Promise.all([write("left", 0n), write("right", 0n)]);
    let runs = 0;
    let arrivals = 0;
    const met = Promise.withResolvers<void>();
    const both = (first: string, second: string) =>
      postgres.transaction(async (tx) => {
        runs += 1;
        await add(first, tx);
        arrivals += 1;
        if (arrivals === 2) met.resolve();
        await met.promise;
        await add(second, tx);
      });
    await Promise.all([both("left", "right"), both("right", "left")]);
    expect(runs).toBe(3);
    expect([await read("left"), await read("right")]).toEqual([[{ value: 2n }], [{ value: 2n }]]);
  });

  it("gives up after three more runs", async () => {
    let runs = 0;
    const work = postgres.transaction(async (tx) => {
      runs += 1;
      await tx.query({
        name: "conflict",
        text: "do $$ begin raise exception using errcode = '40001'; end $$",
      });
    });
    expect(await failure(work)).toMatchObject({ reason: "UNAVAILABLE" });
    expect(runs).toBe(4);
  });
});

describe("a pool", () => {
  it("whose connections are all in use makes a call wait, then says so", async () => {
    const single = openPostgres({ url, applicationName: "busy", log, maxConnections: 1 });
    const done = Promise.withResolvers<void>();
    const holding = single.transaction(() => done.promise);
    try {
      expect(await failure(single.ping())).toMatchObject({ message: "all database connections are busy" });
    } finally {
      done.resolve();
      await holding;
      await single.close();
      await single.close();
    }
  });
});

describe("a lost connection", () => {
  it("under a statement is UNAVAILABLE, without a word of where the server is", async () => {
    const sleeping = failure(postgres.query({ name: "sleeping", text: "select pg_sleep(60)" }));
    await waitFor(async () => {
      const rows = await postgres.query({
        name: "terminate",
        text: "select pg_terminate_backend(pid) from pg_stat_activity where query = 'select pg_sleep(60)' and state = 'active'",
      });
      return rows.length > 0;
    });
    const error = await sleeping;
    expect(error).toMatchObject({ reason: "UNAVAILABLE", retryAfterMs: 1_000 });
    expect(error.message).not.toContain("127.0.0.1");
    await postgres.ping();
  });

  it("inside a transaction rolls back, is UNAVAILABLE, and leaves the pool in order", async () => {
    const work = postgres.transaction(async (tx) => {
      await write("cut off", 1n, tx);
      const pid = await backend(tx);
      await postgres.query({ name: "kill", text: "select pg_terminate_backend($1)", values: [pid] });
      await add("cut off", tx);
    });
    expect(await failure(work)).toMatchObject({ reason: "UNAVAILABLE" });
    expect(await read("cut off")).toEqual([]);
    const backends = await Promise.all(Array.from({ length: 4 }, () => postgres.transaction(backend)));
    expect(backends).toHaveLength(4);
  });

  it("while the body is busy elsewhere does not end the process", async () => {
    const work = postgres.transaction(async (tx) => {
      const pid = await backend(tx);
      await postgres.query({ name: "kill", text: "select pg_terminate_backend($1)", values: [pid] });
      await waitFor(
        async () =>
          (
            await postgres.query({
              name: "gone",
              text: "select 1 from pg_stat_activity where pid = $1",
              values: [pid],
            })
          ).length === 0,
      );
    });
    expect(await failure(work)).toMatchObject({ reason: "UNAVAILABLE" });
  });

  it("to a server that is gone fails calls until it is back", async () => {
    await using proxy = await severableProxy(url);
    const remote = openPostgres({ url: proxy.url, applicationName: "remote", log });
    try {
      await Promise.all([remote.ping(), remote.ping(), remote.ping()]);
      await proxy.sever();
      const error = await failure(remote.ping());
      expect(error).toMatchObject({ reason: "UNAVAILABLE" });
      expect(error.message).not.toMatch(/127|ECONN/);
      expect(await failure(remote.transaction(backend))).toMatchObject({ reason: "UNAVAILABLE" });
      await proxy.restore();
      await waitFor(() => remote.transaction(backend));
      expect(await Promise.all(Array.from({ length: 10 }, () => remote.transaction(backend)))).toHaveLength(
        10,
      );
    } finally {
      await remote.close();
    }
  });

  it("that has fallen silent is given up", async () => {
    await using proxy = await severableProxy(url);
    const remote = openPostgres({
      url: proxy.url,
      applicationName: "silent",
      log,
      statementTimeoutMs: 50,
      maxConnections: 1,
    });
    try {
      await remote.ping();
      proxy.freeze();
      expect(await failure(remote.ping())).toMatchObject({ message: "the database connection was lost" });
      await remote.ping();
    } finally {
      await remote.close();
    }
  });
});
