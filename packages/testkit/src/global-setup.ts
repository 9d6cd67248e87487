import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort, startPostgres, startRedis } from "@chirrup/servers";
import type { TestProject } from "vitest/node";

declare module "vitest" {
  interface ProvidedContext {
    postgresSuperuserUrl: string;
    redisUrl: string;
  }
}

/** One Postgres and one Redis for the whole run of vitest; every test file makes databases of its own. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const folder = mkdtempSync(join(tmpdir(), "chirrup-test-"));
  const postgres = await startPostgres({
    dataDir: join(folder, "postgres"),
    port: await freePort(),
    logFile: join(folder, "postgres.log"),
    superuserPassword: "test",
    // A killed process loses nothing by this; only a machine that loses power would.
    settings: { fsync: "off", max_connections: "400", max_wal_senders: "50", max_replication_slots: "50" },
  });
  const redis = await startRedis({
    dataDir: join(folder, "redis"),
    port: await freePort(),
    logFile: join(folder, "redis.log"),
    settings: { databases: "1024" },
  });
  project.provide("postgresSuperuserUrl", postgres.superuserUrl());
  project.provide("redisUrl", redis.url);
  return async () => {
    await Promise.all([postgres.stop(), redis.stop()]);
    rmSync(folder, { recursive: true, force: true });
  };
}
