import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  appendOutbox,
  createMetrics,
  migrate,
  openEventLog,
  openEventLogOperator,
  openPostgres,
  platformMigrations,
  type Postgres,
  type ReceivedEvent,
  watchOutboxSlot,
} from "@chirrup/platform";
import {
  connectorState,
  connectSecretsFile,
  findJava,
  freePort,
  type JavaParts,
  type KafkaBroker,
  type KafkaConnect,
  type PostgresServer,
  putConnector,
  resolveJavaParts,
  resumeConnector,
  startKafkaBroker,
  startKafkaConnect,
  startPostgres,
  stopConnector,
} from "@chirrup/servers";
import { testLog, waitFor } from "@chirrup/testkit";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { needsRecovery, recoverOutbox, slotIsLost } from "../src/events/recover-outbox.ts";
import { databaseUrl } from "../src/launcher/databases.ts";
import { repositoryRoot } from "../src/launcher/paths.ts";
import { fillConfig } from "../src/launcher/profiles/connectors.ts";

const log = testLog();
const [source, slot, role] = ["post", "chirrup_post", "debezium"];
const [topic, key] = ["posts", 7n];
const cache = join(repositoryRoot, ".chirrup", "cache", "java");

interface Parts {
  readonly java: string;
  readonly current: JavaParts;
  /** The worker of managed Connect, with the connector of the current set. */
  readonly managed: JavaParts;
}

async function findParts(): Promise<Parts | string> {
  try {
    const java = await findJava();
    const current = await resolveJavaParts(cache, () => undefined);
    const { classPath } = await resolveJavaParts(cache, () => undefined, "connect-3.7");
    return { java, current, managed: { ...current, classPath } };
  } catch (error) {
    return (error as Error).message;
  }
}

const found = await findParts();
if (typeof found === "string") console.warn(`Debezium is not tested: ${found}`);

describe.skipIf(typeof found === "string")("the outbox connector", { timeout: 300_000 }, () => {
  const parts = found as Parts;
  const received: ReceivedEvent[] = [];
  let folder: string;
  let broker: KafkaBroker;
  let postgres: PostgresServer;
  let outbox: Postgres;
  let eventLog: ReturnType<typeof openEventLog>;
  let worker: KafkaConnect | undefined;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "chirrup-connector-"));
    const node = { id: 1, port: await freePort(), controllerPort: await freePort() };
    broker = await startKafkaBroker({
      java: parts.java,
      parts: parts.current,
      node,
      nodes: [node],
      clusterId: Buffer.from("chirrup-connects").toString("base64url"),
      dataDir: join(folder, "kafka"),
      logFile: join(folder, "kafka.log"),
      settings: { "offsets.topic.num.partitions": "1" },
    });
    postgres = await startPostgres({
      dataDir: join(folder, "postgres"),
      port: await freePort(),
      logFile: join(folder, "postgres.log"),
      superuserPassword: "another secret",
      settings: {
        fsync: "off",
        shared_buffers: "24MB",
        max_slot_wal_keep_size: "32MB",
        tcp_user_timeout: "3s",
      },
    });
    await asSuperuser("postgres", async (client) => {
      await client.query(`CREATE ROLE ${source} LOGIN PASSWORD 'a secret'`);
      await client.query(`CREATE ROLE ${role} LOGIN REPLICATION PASSWORD 'a secret'`);
      await client.query(`CREATE DATABASE ${source} OWNER ${source}`);
    });
    await migrate({ url: urlOf(source), folders: [platformMigrations], log });
    outbox = openPostgres({ url: urlOf(source), applicationName: "test", log });
    // From before the slot: history, which nobody gets.
    await append(0, 0);
    await asSuperuser(source, (client) =>
      client.query("SELECT pg_create_logical_replication_slot($1, 'pgoutput', failover => true)", [slot]),
    );
    eventLog = openEventLog({
      url: `kafka://127.0.0.1:${broker.port}`,
      log,
      metrics: createMetrics({ service: "test" }),
    });
    await eventLog.subscribe({
      group: "test",
      topics: [topic],
      handle(event) {
        received.push(event);
        return Promise.resolve();
      },
    });
  }, 300_000);

  afterAll(async () => {
    await eventLog?.close();
    await worker?.stop();
    await broker?.stop();
    await outbox?.close();
    await postgres?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const urlOf = (user: string): string => databaseUrl(postgres.port, user, "a secret", source);

  async function asSuperuser<T>(database: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
    const client = new pg.Client({ connectionString: postgres.superuserUrl(database) });
    await client.connect();
    try {
      return await work(client);
    } finally {
      await client.end();
    }
  }

  async function runWorker(workerParts: JavaParts): Promise<KafkaConnect> {
    await worker?.stop();
    const dataDir = join(folder, "connect");
    worker = await startKafkaConnect({
      java: parts.java,
      parts: workerParts,
      brokers: [`127.0.0.1:${broker.port}`],
      port: await freePort(),
      dataDir,
      logFile: join(folder, "connect.log"),
      secrets: { password: "a secret" },
    });
    const text = readFileSync(join(repositoryRoot, "infra", "debezium", "outbox.json"), "utf8");
    const config = fillConfig(text, {
      source,
      database_host: "127.0.0.1",
      database_port: String(postgres.port),
      database_user: role,
      database_password: `\${file:${connectSecretsFile(dataDir)}:password}`,
      database_sslmode: "disable",
    });
    await putConnector(worker.url, "outbox", config);
    const { url } = worker;
    await waitFor(async () => (await connectorState(url, "outbox")).state === "RUNNING", {
      timeoutMs: 60_000,
      what: "the connector runs",
    });
    return worker;
  }

  const traceparentOf = (number: number): string =>
    `00-0af7651916cd43dd8448eb211c80319c-${number.toString(16).padStart(16, "0")}-01`;

  async function append(from: number, to: number): Promise<void> {
    for (let number = from; number <= to; number += 1) {
      const eventId = BigInt(number);
      const event = { case: "postCreated", value: { postId: eventId, authorId: key } } as const;
      await appendOutbox(outbox, { topic, key, event, eventId, traceparent: traceparentOf(number) });
    }
  }

  /** Waits until all have come, then tells the numbers without what came again. */
  async function numbersUpTo(last: number): Promise<number[]> {
    await waitFor(() => received.some(({ event }) => event.eventId === BigInt(last)), {
      timeoutMs: 60_000,
      what: `event ${last} has come`,
    });
    return [...new Set(received.map(({ event }) => Number(event.eventId)))];
  }

  it("carries rows as they are on Connect 3.7, which managed Connect offers", async () => {
    const { url } = await runWorker(parts.managed);
    const { version } = (await (await fetch(url)).json()) as { version: string };
    expect(version).toMatch(/^3\.7\./);
    await append(1, 20);
    expect(await numbersUpTo(20)).toEqual(Array.from({ length: 20 }, (_, index) => index + 1));
    expect(received[4]).toMatchObject({
      topic,
      key: "7",
      event: {
        eventId: 5n,
        schemaVersion: 1,
        traceparent: traceparentOf(5),
        payload: { case: "postCreated", value: { postId: 5n, authorId: 7n } },
      },
    });
  });

  it("goes on where it was on Connect 4, with the same configuration", async () => {
    await worker?.stop();
    await append(21, 30);
    const { url } = await runWorker(parts.current);
    const { version } = (await (await fetch(url)).json()) as { version: string };
    expect(version).toMatch(/^4\./);
    await append(31, 40);
    expect(await numbersUpTo(40)).toEqual(Array.from({ length: 40 }, (_, index) => index + 1));
  });

  it("brings rows again that are inserted again, in their order", async () => {
    const before = received.length;
    await outbox.query({
      name: "replay",
      text: `insert into outbox (id, topic, key, payload)
             select id, topic, key, payload from outbox where id > 30 order by created_at, id`,
    });
    await waitFor(() => received.length >= before + 10, { timeoutMs: 60_000 });
    const again = received.slice(before).map(({ event }) => Number(event.eventId));
    expect(again).toEqual(Array.from({ length: 10 }, (_, index) => index + 31));
  });

  it("gets by a recovery what a slot that was given up has left out, and what comes then", async () => {
    const metrics = createMetrics({ service: "test" });
    watchOutboxSlot({ postgres: outbox, metrics });
    const told = async (name: string): Promise<number> =>
      Number(
        new RegExp(`^chirrup_outbox_slot_${name}\\{.*\\} (\\S+)$`, "m").exec(
          await metrics.registry.metrics(),
        )?.[1],
      );
    expect(await slotIsLost(urlOf(role), slot)).toBe(false);
    const { pid, url } = worker as KafkaConnect;
    process.kill(pid, "SIGSTOP");
    try {
      await append(41, 60);
      await asSuperuser(source, async (client) => {
        for (let segment = 0; segment < 6; segment += 1) {
          await client.query("SELECT pg_logical_emit_message(true, 'noise', repeat('x', 12000000))");
          await client.query("CHECKPOINT");
        }
        await waitFor(async () => (await told("lost")) === 1, {
          timeoutMs: 60_000,
          what: "the slot is given up",
        });
        const { rows } = await client.query<{ mib: number }>(
          "SELECT sum(size)::int / 1024 / 1024 AS mib FROM pg_ls_waldir()",
        );
        expect(rows[0]?.mib).toBeLessThan(160);
      });
      expect(await told("active")).toBe(0);
    } finally {
      process.kill(pid, "SIGCONT");
    }
    expect(await slotIsLost(urlOf(role), slot)).toBe(true);

    const operator = await openEventLogOperator({ url: `kafka://127.0.0.1:${broker.port}`, log });
    try {
      const recovered = await recoverOutbox({
        slot,
        connector: "outbox",
        connectUrl: url,
        readerUrl: urlOf(role),
        databaseUrl: urlOf(source),
        operator,
        sinceMs: 3_600_000,
        onProgress: () => undefined,
      });
      expect(recovered).toBeGreaterThanOrEqual(61);
    } finally {
      await operator.close();
    }
    await append(61, 70);
    await numbersUpTo(70);
    // Of what came for the first time, each behind what was written before it; the one from before the first slot is history.
    const first = [...new Set(received.map(({ event }) => Number(event.eventId)))].filter(
      (number) => number > 40,
    );
    expect(first).toEqual(Array.from({ length: 30 }, (_, index) => index + 41));
    const numbers = new Set(received.map(({ event }) => Number(event.eventId)));
    expect([...numbers].toSorted((a, b) => a - b)).toEqual(Array.from({ length: 71 }, (_, index) => index));
    expect(await told("lost")).toBe(0);
    expect(await told("active")).toBe(1);
  });

  it("needs a recovery, too, when its lost slot was made anew before it came back", async () => {
    const { url } = worker as KafkaConnect;
    const where = { slot, connector: "outbox", connectUrl: url, readerUrl: urlOf(role) };
    expect(await needsRecovery(where)).toBe(false);
    await stopConnector(url, "outbox");
    await waitFor(async () => (await connectorState(url, "outbox")).state === "STOPPED");
    await append(71, 75);
    // As the launcher does at its start with a slot that is missing.
    await waitFor(
      () =>
        asSuperuser(source, async (client) => {
          const { rows } = await client.query<{ active: boolean }>("SELECT active FROM pg_replication_slots");
          return rows[0]?.active === false;
        }),
      { what: "nobody reads the slot" },
    );
    await asSuperuser(source, async (client) => {
      await client.query("SELECT pg_drop_replication_slot($1)", [slot]);
      await client.query("SELECT pg_create_logical_replication_slot($1, 'pgoutput', failover => true)", [
        slot,
      ]);
    });
    await resumeConnector(url, "outbox");
    await waitFor(() => needsRecovery(where), { timeoutMs: 60_000, what: "the gap is found" });
    expect(await slotIsLost(urlOf(role), slot)).toBe(false);
  });

  it("reads by a role that may read no table, of a publication that tells inserts of the outbox alone", async () => {
    const client = new pg.Client({ connectionString: urlOf(role) });
    await client.connect();
    try {
      await expect(client.query("SELECT FROM outbox")).rejects.toThrow(/permission denied/);
      const { rows: rights } = await client.query<Record<string, boolean>>(
        "SELECT rolsuper, rolcreaterole, rolcreatedb, rolbypassrls FROM pg_roles WHERE rolname = current_user",
      );
      expect(rights).toEqual([
        { rolsuper: false, rolcreaterole: false, rolcreatedb: false, rolbypassrls: false },
      ]);
      const { rows: publications } = await client.query(
        `SELECT pubname, puballtables AS all, pubinsert AS inserts, pubupdate OR pubdelete OR pubtruncate AS others,
           (SELECT array_agg(tablename::text) FROM pg_publication_tables t WHERE t.pubname = p.pubname) AS tables
         FROM pg_publication p`,
      );
      expect(publications).toEqual([
        { pubname: "chirrup_outbox", all: false, inserts: true, others: false, tables: ["outbox"] },
      ]);
    } finally {
      await client.end();
    }
  });
});
