import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { superuserUrl } from "@chirrup/servers";
import pg from "pg";
import { databases, type DatabaseName } from "../launcher/databases.ts";
import type { Home } from "../launcher/paths.ts";
import { replicaName } from "../launcher/profiles/postgres-pairs.ts";
import { openSecrets } from "../launcher/secrets.ts";
import type { PartStatus } from "../launcher/status.ts";
import { patienceMs } from "./patience.ts";

const execute = promisify(execFile);
const pollMs = 50;

/** The service whose pair a Postgres part belongs to. */
export const serviceOf = (part: string): DatabaseName | undefined =>
  databases.find((name) => part === `postgres-${name}` || part === `postgres-${name}-replica`);

/**
 * Makes the replica of a primary synchronous, so that a commit is acknowledged when both have it, and waits until it has
 * all that was acknowledged before. While such a replica is away, commits wait for it.
 */
async function makeSynchronous(primary: PartStatus, password: string): Promise<void> {
  const client = new pg.Client({
    connectionString: superuserUrl(Number(new URL(primary.url).port), password, "postgres"),
  });
  client.on("error", () => undefined);
  await client.connect();
  try {
    // By its name: "*" takes Debezium for a standby too. Commits would wait for it, and it for its heartbeat's commit.
    await client.query(`ALTER SYSTEM SET synchronous_standby_names = '${replicaName}'`);
    await client.query("SELECT pg_reload_conf()");
    const { rows } = await client.query<{ lsn: string }>("SELECT pg_current_wal_lsn()::text AS lsn");
    const until = performance.now() + patienceMs;
    for (;;) {
      const caughtUp = await client.query(
        "SELECT FROM pg_stat_replication WHERE sync_state = 'sync' AND flush_lsn >= $1::pg_lsn",
        [rows[0]?.lsn],
      );
      if (caughtUp.rowCount !== 0) return;
      if (performance.now() > until) {
        await client.query("ALTER SYSTEM RESET synchronous_standby_names");
        await client.query("SELECT pg_reload_conf()");
        throw new Error(`${primary.name} has no synchronous replica`);
      }
      await new Promise((resolve) => setTimeout(resolve, pollMs));
    }
  } finally {
    await client.end();
  }
}

/** Prepares the pair; what it gives kills the primary and promotes its replica, by the operator's own command. */
export async function preparePromotion(home: Home, primary: PartStatus): Promise<() => Promise<void>> {
  const service = serviceOf(primary.name);
  if (service === undefined) throw new Error(`${primary.name} is no primary of the full profile`);
  await makeSynchronous(primary, openSecrets(home).postgresSuperuser);
  const [entry = ""] = process.argv.slice(1);
  return async () => {
    await execute(process.execPath, [...process.execArgv, entry, "failover", service, "--kill", "--json"], {
      env: { ...process.env, CHIRRUP_HOME: home.dir },
    });
  };
}
