import { testLog, testPostgres } from "@chirrup/testkit";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type IdempotentCall, idempotent, maintainIdempotencyKeys } from "../src/idempotency/index.ts";
import {
  migrate,
  openPostgres,
  platformMigrations,
  type Postgres,
  type Queryable,
} from "../src/postgres/index.ts";

const log = testLog();
let postgres: Postgres;

beforeAll(async () => {
  const url = await (await testPostgres()).createDatabase();
  await migrate({ url, folders: [platformMigrations], log });
  postgres = openPostgres({ url, applicationName: "test", log, maxConnections: 20 });
  await postgres.query({
    name: "make",
    text: "create table effects (id bigint generated always as identity, what text)",
  });
});
afterAll(() => postgres.close());

/** A write that answers with the number of its row. */
async function write(tx: Queryable, what: string): Promise<Uint8Array> {
  const [row] = await tx.query<{ id: bigint }>({
    name: "effect",
    text: "insert into effects (what) values ($1) returning id",
    values: [what],
  });
  return Buffer.from(String(row?.id));
}

function call(
  key: string | undefined,
  request: string,
  other: Partial<IdempotentCall> = {},
): Promise<Uint8Array> {
  const described = { callerId: 1n, method: "S/Write", key, request: Buffer.from(request), ...other };
  return postgres.transaction((tx) => idempotent(tx, described, () => write(tx, request)));
}

async function effects(what: string): Promise<number> {
  return (
    await postgres.query({ name: "effects", text: "select 1 from effects where what = $1", values: [what] })
  ).length;
}

async function age(key: string, interval: string): Promise<void> {
  await postgres.query({
    name: "age",
    text: "update idempotency_keys set created_at = now() - $2::interval where key = $1",
    values: [key, interval],
  });
}

describe("a write with an idempotency key", () => {
  it("has one effect and one answer, however often it is sent", async () => {
    const first = await call("again", "again");
    expect(await call("again", "again")).toEqual(first);
    expect(await effects("again")).toBe(1);
  });

  it("has one effect when it is sent many times at once", async () => {
    const answers = await Promise.all(Array.from({ length: 20 }, () => call("at once", "at once")));
    expect(new Set(answers.map(String)).size).toBe(1);
    expect(await effects("at once")).toBe(1);
  });

  it("is refused when the key came with another request", async () => {
    await call("reused", "one");
    await expect(call("reused", "two")).rejects.toThrow(
      expect.objectContaining({ reason: "IDEMPOTENCY_KEY_REUSED" }),
    );
    expect(await effects("two")).toBe(0);
  });

  it("shares its key with no other caller and no other method", async () => {
    await call("shared", "shared");
    await call("shared", "shared", { callerId: 2n });
    await call("shared", "shared", { method: "S/Other" });
    expect(await effects("shared")).toBe(3);
  });

  it("can be sent again when it failed", async () => {
    const failing = postgres.transaction((tx) =>
      idempotent(
        tx,
        { callerId: 1n, key: "failed", method: "S/Write", request: Buffer.from("failed") },
        async () => {
          await write(tx, "failed");
          throw new Error("no");
        },
      ),
    );
    await expect(failing).rejects.toThrow("no");
    await call("failed", "failed");
    expect(await effects("failed")).toBe(1);
  });

  it("is done by the one that waited when the first one rolls back", async () => {
    const started = Promise.withResolvers<void>();
    const fail = Promise.withResolvers<never>();
    const request = Buffer.from("waited");
    const first = postgres.transaction((tx) =>
      idempotent(tx, { callerId: 1n, key: "waited", method: "S/Write", request }, () => {
        started.resolve();
        return fail.promise;
      }),
    );
    await started.promise;
    const second = call("waited", "waited");
    fail.reject(new Error("no"));
    await expect(first).rejects.toThrow("no");
    await second;
    expect(await effects("waited")).toBe(1);
  });

  it("is a new one after 24 hours, maintained or not", async () => {
    const first = await call("old", "old");
    await age("old", "23 hours 59 minutes");
    expect(await call("old", "old")).toEqual(first);
    await age("old", "24 hours 1 minute");
    expect(await call("old", "old other")).not.toEqual(first);
    await expect(call("old", "old")).rejects.toThrow(
      expect.objectContaining({ reason: "IDEMPOTENCY_KEY_REUSED" }),
    );
  });

  it.each(["", "x".repeat(129), "naïve", "a\nb", "\u007f"])("is refused when the key is %j", async (key) => {
    const violations = [expect.objectContaining({ field: "Idempotency-Key" })];
    await expect(call(key, "bad key")).rejects.toThrow(expect.objectContaining({ violations }));
  });

  it("may have any printable key of 1 to 128 characters", async () => {
    for (const key of ["~", " ", "x".repeat(128), `"8e03978e-40d5-43dd-bc93-6894a57f9324"`])
      await call(key, "good key");
    expect(await effects("good key")).toBe(4);
  });
});

describe("a write without an idempotency key", () => {
  it("is done each time", async () => {
    await call(undefined, "no key");
    await call(undefined, "no key");
    expect(await effects("no key")).toBe(2);
  });
});

describe("the maintenance of keys", () => {
  it("deletes those older than 24 hours, in batches, and no others", async () => {
    await postgres.query({
      name: "many",
      text: `insert into idempotency_keys (caller_id, key, method, request_hash, created_at)
             select 9, n::text, 'S/Write', sha256(''), now() - make_interval(hours => 20 + n % 10) from generate_series(1, 3500) n`,
    });
    const controller = new AbortController();
    await maintainIdempotencyKeys({ postgres, log, signal: controller.signal });
    controller.abort();
    const left = await postgres.query<{ key: string }>({
      name: "left",
      text: "select key from idempotency_keys where caller_id = 9",
    });
    const young = Array.from({ length: 3_500 }, (_, index) => index + 1).filter((n) => n % 10 < 4);
    expect(left.map(({ key }) => Number(key)).toSorted((a, b) => a - b)).toEqual(young);
  });
});
