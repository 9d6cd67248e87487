import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort, startPostgres, startPostgresReplica, type PostgresServer } from "@chirrup/servers";
import pg from "pg";

/** A primary and its streaming replica, of a test's own. */
export interface PostgresPair extends AsyncDisposable {
  /** The one that began as the primary. */
  readonly first: PostgresServer;
  /** The one that began as the replica; undefined while it is stopped. */
  readonly second: PostgresServer | undefined;
  /** Makes an empty database; gives URLs of its owner, who is no superuser. */
  createDatabase(name?: string): Promise<PairUrls>;
  /** The replica goes on receiving and shows nothing new until `resume`. */
  pause(): Promise<void>;
  resume(): Promise<void>;
  /** From now on the replica shows a commit so long after it was made. */
  delay(ms: number): Promise<void>;
  stopReplica(): Promise<void>;
  startReplica(): Promise<void>;
  /** Kills the primary, promotes the replica, and makes the old primary its replica with `rejoin`. */
  promote(): Promise<void>;
  rejoin(): Promise<void>;
}

export interface PairUrls {
  readonly first: string;
  readonly second: string;
  /** Both, in this order. */
  readonly both: string;
}

const superuserPassword = "test";
const replication = { role: "replica", password: "test" };
const settings = { fsync: "off", shared_buffers: "24MB", max_wal_size: "128MB" };

/** Starts two servers, in about two seconds. */
export async function startPostgresPair(): Promise<PostgresPair> {
  const folder = mkdtempSync(join(tmpdir(), "chirrup-pair-"));
  const dirs = { first: join(folder, "first"), second: join(folder, "second") };
  const ports = { first: await freePort(), second: await freePort() };
  let first = await startPostgres({
    dataDir: dirs.first,
    port: ports.first,
    logFile: join(folder, "first.log"),
    superuserPassword,
    settings,
  });
  let second: PostgresServer | undefined;

  async function run(server: PostgresServer | undefined, ...statements: string[]): Promise<void> {
    if (server === undefined) throw new Error("the replica is stopped");
    const client = new pg.Client({ connectionString: server.superuserUrl() });
    await client.connect();
    try {
      for (const statement of statements) await client.query(statement);
    } finally {
      await client.end();
    }
  }

  function startReplicaOf(primary: PostgresServer, of: "first" | "second"): Promise<PostgresServer> {
    const other = of === "first" ? "second" : "first";
    return startPostgresReplica({
      primary: { port: primary.port, dataDir: dirs[of], superuserUrl: primary.superuserUrl() },
      replication,
      slot: "replica_1",
      dataDir: dirs[other],
      port: ports[other],
      logFile: join(folder, `${other}.log`),
      superuserPassword,
      settings,
    });
  }

  const pair: PostgresPair = {
    get first() {
      return first;
    },
    get second() {
      return second;
    },
    async createDatabase(name = "test") {
      const database = `${name}_${randomBytes(6).toString("hex")}`;
      await run(
        first,
        `CREATE ROLE ${database} LOGIN PASSWORD 'test'`,
        `CREATE DATABASE ${database} OWNER ${database}`,
      );
      const urlOf = (hosts: string): string => `postgres://${database}:test@${hosts}/${database}`;
      const [one, two] = [`127.0.0.1:${ports.first}`, `127.0.0.1:${ports.second}`];
      return { first: urlOf(one), second: urlOf(two), both: urlOf(`${one},${two}`) };
    },
    pause: () => run(second, "SELECT pg_wal_replay_pause()"),
    resume: () => run(second, "SELECT pg_wal_replay_resume()"),
    delay: (ms) =>
      run(second, `ALTER SYSTEM SET recovery_min_apply_delay = '${ms}ms'`, "SELECT pg_reload_conf()"),
    async stopReplica() {
      await second?.stop();
      second = undefined;
    },
    async startReplica() {
      second = await startReplicaOf(first, "first");
    },
    async promote() {
      process.kill(first.pid, "SIGKILL");
      await first.exited;
      await run(second, "SELECT pg_promote()");
    },
    async rejoin() {
      if (second === undefined) throw new Error("there is no primary to join");
      rmSync(dirs.first, { recursive: true });
      first = await startReplicaOf(second, "second");
    },
    async [Symbol.asyncDispose]() {
      await second?.stop();
      await first.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
  await run(first, `CREATE ROLE ${replication.role} LOGIN REPLICATION PASSWORD '${replication.password}'`);
  await pair.startReplica();
  return pair;
}
