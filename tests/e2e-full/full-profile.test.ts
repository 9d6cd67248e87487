import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openPostgres, type Postgres } from "@chirrup/platform";
import { testLog, waitFor } from "@chirrup/testkit";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { chirrup, type PlatformStatus, statusOf } from "../e2e/support/chirrup.ts";

type Database = "user" | "follow" | "post";

let home: string;
let status: PlatformStatus;

const partOf = (name: string): { pid: number; port: string } => {
  const part = status.parts?.find((one) => one.name === name);
  if (part === undefined || part.pid === null) throw new Error(`${name} does not run`);
  return { pid: part.pid, port: new URL(part.url).port };
};

/** As the service itself would connect: to its primary, or to the replica of it. */
function openDatabase(name: Database, replica = false): Postgres {
  const { access } = JSON.parse(readFileSync(join(home, "state.json"), "utf8")) as {
    access: { databases: Record<Database, string> };
  };
  const url = new URL(access.databases[name]);
  if (replica) url.port = partOf(`postgres-${name}-replica`).port;
  return openPostgres({ url: url.href, applicationName: "e2e", maxConnections: 1, log: testLog() });
}

async function ready(what: string): Promise<void> {
  await waitFor(async () => (status = await statusOf(home)).ready, {
    timeoutMs: 180_000,
    intervalMs: 200,
    what,
  });
}

beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), "chirrup-full-"));
  const up = await chirrup(
    home,
    "up",
    "--profile",
    "full",
    "--brokers",
    "3",
    "--celebrity-threshold",
    "8",
    "--detach",
    "--port",
    "0",
  );
  if (up.code !== 0) throw new Error(`chirrup up failed:\n${up.stdout}\n${up.stderr}`);
  await ready("everything runs");
}, 400_000);

afterAll(async () => {
  await chirrup(home, "down");
  rmSync(home, { recursive: true, force: true });
}, 60_000);

describe("the full profile", () => {
  it("runs the parts of production, and no relay", () => {
    expect(status).toMatchObject({ ready: true, profile: "full" });
    const names = status.parts?.map(({ name }) => name);
    const pairs = ["user", "follow", "post"].flatMap((name) => [
      `postgres-${name}`,
      `postgres-${name}-replica`,
    ]);
    const cluster = [1, 2, 3, 4, 5, 6].map((number) => `redis-${number}`);
    const brokers = ["kafka-1", "kafka-2", "kafka-3"];
    const services = ["gateway", "user", "follow", "post", "feed"];
    expect(names).toEqual(expect.arrayContaining([...pairs, ...cluster, "connect", ...brokers, ...services]));
    expect(names).not.toContain("relay");
  });

  it("streams every primary to its replica, which takes no writes", async () => {
    const [primary, replica] = [openDatabase("post"), openDatabase("post", true)];
    try {
      await primary.query({
        name: "make",
        text: "create table streamed as select n from generate_series(1, 1000) n",
      });
      const count = (): Promise<{ count: bigint }[]> =>
        replica.query({ name: "count", text: "select count(*) from streamed" });
      await waitFor(async () => (await count())[0]?.count === 1_000n, { what: "the replica has every row" });
      const refused = replica.query({ name: "write", text: "delete from streamed where false" });
      await expect(refused).rejects.toThrow(/read-only/);
      await primary.query({ name: "drop", text: "drop table streamed" });
    } finally {
      await Promise.all([primary.close(), replica.close()]);
    }
  });

  it("moves every slot, also of a database that nobody writes to", { timeout: 120_000 }, async () => {
    const follows = async (name: Database): Promise<boolean> => {
      const database = openDatabase(name);
      try {
        // WAL that no publication tells of: only the heartbeat takes the slot past it.
        await database.query({
          name: "noise",
          text: "create table noise as select repeat(md5(n::text), 10) from generate_series(1, 4000) n",
        });
        await database.query({ name: "no_noise", text: "drop table noise" });
        const slot = await waitFor(
          async () => {
            const [row] = await database.query<{ active: boolean; lag: bigint; failover: boolean }>({
              name: "slot",
              text: `select active, failover, (pg_current_wal_lsn() - confirmed_flush_lsn)::bigint as lag
                     from pg_replication_slots where slot_name = 'chirrup_${name}'`,
            });
            return row?.active === true && row.lag < 256n * 1024n && row;
          },
          { timeoutMs: 90_000, intervalMs: 500, what: `the slot of ${name} follows the log` },
        );
        return slot.failover;
      } finally {
        await database.close();
      }
    };
    expect(await Promise.all([follows("user"), follows("follow"), follows("post")])).toEqual([
      true,
      true,
      true,
    ]);
  });

  it("follows its primaries when replicas are promoted, there and back", { timeout: 400_000 }, async () => {
    for (const next of ["postgres-post-replica", "postgres-post"]) {
      const seeding = chirrup(home, "seed", "--users", "8", "--posts", "60", "--rate", "6", "--json");
      const promoted = await chirrup(home, "failover", "post", "--json");
      expect(JSON.parse(promoted.stdout), promoted.stderr).toMatchObject({ service: "post", primary: next });
      const seeded = await seeding;
      expect(seeded.code, seeded.stderr).toBe(0);
      await ready("the old primary is a replica");
    }
    const audit = await chirrup(home, "audit", "--json", "--settle-ms", "60000", "--page-size", "50");
    expect(JSON.parse(audit.stdout), audit.stdout).toMatchObject({ differences: 0, first: null });
  });

  it("has all events of lost slots again after chirrup events recover", { timeout: 600_000 }, async () => {
    const load = ["--writes", "240", "--rate", "20", "--users", "8"];
    const run = await chirrup(home, "faults", "lost-slot", ...load, "--json");
    const result = JSON.parse(run.stdout) as {
      faults: number;
      recovered: { source: string; replayed: number }[];
    };
    expect(result.faults, run.stdout).toBe(0);
    expect(run.code, run.stderr).toBe(0);
    expect(result.recovered.map(({ source }) => source)).toEqual(["follow", "post"]);
    for (const { replayed } of result.recovered) expect(replayed).toBeGreaterThan(0);
    const again = await chirrup(home, "events", "recover");
    expect(again.stdout).toBe("No slot is lost.\n");
  });

  it("loses nothing when its parts are killed under load", { timeout: 600_000 }, async () => {
    // Each kind once. The long form is `chirrup faults --kills 100`.
    const run = await chirrup(home, "faults", "--kills", "11", "--rate", "20", "--users", "12", "--json");
    const result = JSON.parse(run.stdout) as { acknowledged: number; faults: number };
    expect(result.faults, run.stdout).toBe(0);
    expect(run.code, run.stderr).toBe(0);
    expect(result.acknowledged).toBeGreaterThan(100);
  });
});
