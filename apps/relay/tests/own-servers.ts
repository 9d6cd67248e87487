import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { migrate, platformMigrations } from "@chirrup/platform";
import { freePort, type PostgresServer, type RedisServer, startPostgres, startRedis } from "@chirrup/servers";
import { testLog } from "@chirrup/testkit";
import pg from "pg";

export interface OwnPostgres {
  /** Runs SQL as the superuser. */
  query<Row extends pg.QueryResultRow>(database: string, text: string, values?: unknown[]): Promise<Row[]>;
  /** A database with an outbox; resolves to the URL of the relay's role. */
  createSource(name: string): Promise<string>;
  ownerUrl(name: string): string;
  /** SIGKILL of the postmaster when `crash`; else a fast shutdown. */
  stop(crash?: boolean): Promise<void>;
  start(): Promise<void>;
  remove(): Promise<void>;
}

/** A Postgres server of this test alone, to be stopped and killed at will. */
export async function ownPostgres(): Promise<OwnPostgres> {
  const folder = mkdtempSync(join(tmpdir(), "chirrup-relay-pg-"));
  const options = {
    dataDir: join(folder, "data"),
    port: await freePort(),
    logFile: join(folder, "postgres.log"),
    superuserPassword: "test",
    settings: { shared_buffers: "32MB", max_connections: "50" },
  };
  let server: PostgresServer = await startPostgres(options);

  async function query<Row extends pg.QueryResultRow>(
    database: string,
    text: string,
    values: unknown[] = [],
  ) {
    const client = new pg.Client({ connectionString: server.superuserUrl(database) });
    await client.connect();
    try {
      return (await client.query<Row>(text, values)).rows;
    } finally {
      await client.end();
    }
  }

  // What the README says the relay needs, and nothing else.
  await query("postgres", "CREATE ROLE relay LOGIN REPLICATION PASSWORD 'relay'");
  return {
    query,
    async createSource(name) {
      await query("postgres", `CREATE DATABASE ${name}`);
      await query("postgres", `REVOKE ALL ON DATABASE ${name} FROM PUBLIC`);
      await query("postgres", `GRANT CONNECT ON DATABASE ${name} TO relay`);
      await migrate({ url: server.superuserUrl(name), folders: [platformMigrations], log: testLog() });
      await query(name, "GRANT SELECT ON outbox TO relay");
      return `postgres://relay:relay@127.0.0.1:${options.port}/${name}`;
    },
    ownerUrl: (name) => server.superuserUrl(name),
    async stop(crash = false) {
      if (crash) process.kill(server.pid, "SIGKILL");
      await (crash ? server.exited : server.stop());
    },
    async start() {
      server = await startPostgres(options);
    },
    async remove() {
      await server.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

export interface OwnRedis {
  readonly url: string;
  stop(crash?: boolean): Promise<void>;
  start(): Promise<void>;
  remove(): Promise<void>;
}

/** An event Redis of this test alone, durable as the relay expects it. */
export async function ownEventRedis(): Promise<OwnRedis> {
  const folder = mkdtempSync(join(tmpdir(), "chirrup-relay-redis-"));
  const options = {
    dataDir: folder,
    port: await freePort(),
    logFile: join(folder, "redis.log"),
    settings: { appendonly: "yes", appendfsync: "always", "maxmemory-policy": "noeviction" },
  };
  let server: RedisServer = await startRedis(options);
  return {
    url: server.url,
    async stop(crash = false) {
      if (crash) process.kill(server.pid, "SIGKILL");
      await (crash ? server.exited : server.stop());
    },
    async start() {
      server = await startRedis(options);
    },
    async remove() {
      await server.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
