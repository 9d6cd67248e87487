import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  freePort,
  type PostgresReplicaOptions,
  type PostgresServer,
  startPostgres,
  startPostgresReplica,
} from "../src/index.ts";

const folder = mkdtempSync(join(tmpdir(), "chirrup-replica-"));
let primary: PostgresServer;
let options: PostgresReplicaOptions;

async function query<T extends pg.QueryResultRow>(server: PostgresServer, text: string): Promise<T[]> {
  const client = new pg.Client({ connectionString: server.superuserUrl() });
  await client.connect();
  try {
    return (await client.query<T>(text)).rows;
  } finally {
    await client.end();
  }
}

async function untilReplayed(replica: PostgresServer): Promise<void> {
  const [{ lsn } = { lsn: "" }] = await query<{ lsn: string }>(primary, "SELECT pg_current_wal_lsn() AS lsn");
  for (;;) {
    const [row] = await query<{ there: boolean }>(
      replica,
      `SELECT pg_last_wal_replay_lsn() >= '${lsn}'::pg_lsn AS there`,
    );
    if (row?.there) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

beforeAll(async () => {
  primary = await startPostgres({
    dataDir: join(folder, "primary"),
    port: await freePort(),
    logFile: join(folder, "primary.log"),
    superuserPassword: "it's a 'test'",
    settings: { fsync: "off", shared_buffers: "16MB" },
  });
  await query(primary, String.raw`CREATE ROLE copier LOGIN REPLICATION PASSWORD 'quote''s and \slashes'`);
  await query(primary, "CREATE TABLE fact (id int)");
  options = {
    primary: { port: primary.port, dataDir: join(folder, "primary"), superuserUrl: primary.superuserUrl() },
    replication: { role: "copier", password: String.raw`quote's and \slashes` },
    slot: "replica_1",
    dataDir: join(folder, "replica"),
    port: await freePort(),
    logFile: join(folder, "replica.log"),
    superuserPassword: "it's a 'test'",
    settings: { fsync: "off", shared_buffers: "16MB" },
  };
});

afterAll(async () => {
  await primary.stop();
  rmSync(folder, { recursive: true, force: true });
});

describe("startPostgresReplica", () => {
  it("streams by its slot, goes on after a stop, and copies anew when its slot was lost", async () => {
    let replica = await startPostgresReplica(options);
    await query(primary, "INSERT INTO fact VALUES (1)");
    await untilReplayed(replica);
    expect(await query(replica, "SELECT id FROM fact")).toEqual([{ id: 1 }]);
    await expect(query(replica, "INSERT INTO fact VALUES (9)")).rejects.toThrow(/read-only/);
    expect(await query(primary, "SELECT slot_name, active FROM pg_replication_slots")).toEqual([
      { slot_name: "replica_1", active: true },
    ]);

    await replica.stop();
    await query(primary, "INSERT INTO fact VALUES (2)");
    replica = await startPostgresReplica(options);
    await untilReplayed(replica);
    expect(await query(replica, "SELECT id FROM fact ORDER BY id")).toEqual([{ id: 1 }, { id: 2 }]);

    await replica.stop();
    await query(primary, "SELECT pg_drop_replication_slot('replica_1')");
    await query(primary, "INSERT INTO fact VALUES (3)");
    replica = await startPostgresReplica(options);
    await untilReplayed(replica);
    expect(await query(replica, "SELECT count(*)::int AS count FROM fact")).toEqual([{ count: 3 }]);

    await query(replica, "SELECT pg_promote()");
    await replica.stop();
    await expect(startPostgresReplica(options)).rejects.toThrow(/has been promoted/);
  });
});
