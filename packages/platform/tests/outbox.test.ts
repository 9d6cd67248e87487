import { fromBinary } from "@bufbuild/protobuf";
import { EventSchema } from "@chirrup/proto/chirrup/events/v1/event";
import { testLog, testPostgres } from "@chirrup/testkit";
import pg from "pg";
import { beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { appendOutbox, maintainOutbox } from "../src/events/outbox.ts";
import {
  migrate,
  openPostgres,
  platformMigrations,
  type Postgres,
  type Queryable,
} from "../src/postgres/index.ts";

const log = testLog();
const hourMs = 3_600_000;
let url: string;
let postgres: Postgres;

beforeEach(async () => {
  url = await (await testPostgres()).createDatabase();
  await migrate({ url, folders: [platformMigrations], log });
  const opened = openPostgres({ url, applicationName: "test", log });
  postgres = opened;
  onTestFinished(() => opened.close());
});

/** One run, without its repetition. */
async function maintainOnce(): Promise<void> {
  const controller = new AbortController();
  await maintainOutbox({ postgres, log, signal: controller.signal });
  controller.abort();
}

function append(db: Queryable, eventId: bigint): Promise<void> {
  const event = { case: "postCreated", value: { postId: 5n, authorId: 6n } } as const;
  return appendOutbox(db, { topic: "posts", key: 6n, event, eventId, traceparent: "00-trace" });
}

async function partitions(): Promise<string[]> {
  const rows = await postgres.query<{ name: string }>({
    name: "partitions",
    text: "select inhrelid::regclass::text as name from pg_inherits where inhparent = 'outbox'::regclass order by 1",
  });
  return rows.map(({ name }) => name);
}

/** The name and the bounds of the six-hour partition that holds the time. */
function partitionAt(timeMs: number): { name: string; from: string; to: string } {
  const startMs = Math.floor(timeMs / (6 * hourMs)) * 6 * hourMs;
  const from = new Date(startMs).toISOString();
  const name = `outbox_${from.slice(0, 10).replaceAll("-", "")}_${from.slice(11, 13)}`;
  return { name, from, to: new Date(startMs + 6 * hourMs).toISOString() };
}

async function makePartition(timeMs: number): Promise<string> {
  const { name, from, to } = partitionAt(timeMs);
  await postgres.query({
    name: `make ${name}`,
    text: `create table ${name} partition of outbox for values from ('${from}') to ('${to}')`,
  });
  return name;
}

async function dropPartition(name: string): Promise<void> {
  await postgres.query({ name: `drop ${name}`, text: `drop table ${name}` });
}

describe("the outbox", () => {
  it("holds an event whose transaction was committed, as the log will carry it", async () => {
    await postgres.transaction((tx) => append(tx, 7n));
    const rolledBack = postgres.transaction(async (tx) => {
      await append(tx, 8n);
      throw new Error("no");
    });
    await expect(rolledBack).rejects.toThrow("no");

    const rows = await postgres.query<{ id: bigint; topic: string; key: string; payload: Buffer }>({
      name: "all",
      text: "select id, topic, key, payload from outbox",
    });
    expect(rows).toMatchObject([{ id: 7n, topic: "posts", key: "6" }]);
    expect(fromBinary(EventSchema, rows[0]?.payload ?? Buffer.of())).toMatchObject({
      eventId: 7n,
      schemaVersion: 1,
      traceparent: "00-trace",
      payload: { case: "postCreated", value: { postId: 5n, authorId: 6n } },
    });
  });

  it("is published as one table, its appends only", async () => {
    const superuserUrl = new URL((await testPostgres()).superuserUrl);
    superuserUrl.pathname = new URL(url).pathname;
    const client = new pg.Client({ connectionString: superuserUrl.href });
    await client.connect();
    const slot = `test_${new URL(url).pathname.slice(1)}`;
    try {
      await client.query("select pg_create_logical_replication_slot($1, 'pgoutput')", [slot]);
      const old = await makePartition(Date.now() - 60 * hourMs);
      await append(postgres, 7n);
      await postgres.query({ name: "delete", text: "delete from outbox" });
      await maintainOnce();
      expect(await partitions()).not.toContain(old);

      const { rows } = await client.query<{ data: Buffer }>(
        `select data from pg_logical_slot_get_binary_changes($1, null, null,
           'proto_version', '1', 'publication_names', 'chirrup_outbox')`,
        [slot],
      );
      // 'R' describes a relation, 'I' is an insert; both go on with the relation's oid. 'B' and 'C' frame them.
      const kind = (data: Buffer) => String.fromCharCode(data[0] ?? 0);
      const messages = rows.map(({ data }) => data).filter((data) => !"BC".includes(kind(data)));
      expect(new Set(messages.map(kind))).toEqual(new Set("RI"));
      const inserts = messages.filter((data) => kind(data) === "I");
      expect(inserts).toHaveLength(1);
      const relation = messages.find(
        (data) => kind(data) === "R" && data.readUInt32BE(1) === inserts[0]?.readUInt32BE(1),
      );
      expect(relation?.toString("latin1", 5)).toMatch(/^public\0outbox\0/);
    } finally {
      await client.query("select pg_drop_replication_slot($1)", [slot]);
      await client.end();
    }
  });

  it("has partitions from now to three days on, from its migration", async () => {
    const nowMs = Date.now();
    const expected = Array.from({ length: 13 }, (_, index) => partitionAt(nowMs + index * 6 * hourMs).name);
    expect((await partitions()).slice(0, 13)).toEqual(expected);
  });

  it("accepts appends again once it was maintained after a long sleep", async () => {
    for (const name of await partitions()) await dropPartition(name);
    await expect(append(postgres, 7n)).rejects.toThrow(expect.objectContaining({ reason: "UNAVAILABLE" }));
    await maintainOnce();
    await append(postgres, 7n);
  });

  it("keeps 48 hours and drops what is older, whole partitions at a time", async () => {
    const nowMs = Date.now();
    const kept = [await makePartition(nowMs - 12 * hourMs), await makePartition(nowMs - 48 * hourMs)];
    const expired = [await makePartition(nowMs - 54 * hourMs - 1), await makePartition(nowMs - 900 * hourMs)];
    await maintainOnce();
    const left = await partitions();
    expect(left).toEqual(expect.arrayContaining(kept));
    for (const name of expired) expect(left).not.toContain(name);
  });

  it("is maintained by many at once", async () => {
    const before = await partitions();
    for (const name of before) await dropPartition(name);
    await makePartition(Date.now() - 900 * hourMs);
    await Promise.all(Array.from({ length: 8 }, maintainOnce));
    expect(await partitions()).toEqual(before);
  });

  it("gets partitions while a transaction that appended is open, and no append waits for a drop", async () => {
    const names = await partitions();
    await dropPartition(names.at(-1) ?? "");
    const expired = await makePartition(Date.now() - 900 * hourMs);
    await postgres.transaction(async (tx) => {
      await append(tx, 7n);
      await maintainOnce();
      expect(await partitions()).toEqual([expired, ...names]);
      await append(postgres, 8n);
    });
    await maintainOnce();
    expect(await partitions()).toEqual(names);
  });
});
