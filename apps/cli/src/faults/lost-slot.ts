import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { superuserUrl } from "@chirrup/servers";
import type pg from "pg";
import { withClient, type DatabaseName } from "../launcher/databases.ts";
import type { Home } from "../launcher/paths.ts";
import { readPrimary } from "../launcher/roles.ts";
import { openSecrets } from "../launcher/secrets.ts";
import type { State } from "../launcher/state.ts";
import { patienceMs } from "./patience.ts";
import { type Load, openRun } from "./run.ts";
import { slotMetric } from "./slot-metrics.ts";
import { untilReady } from "./strike.ts";
import type { Summary } from "./summary.ts";
import { result } from "./verify-writes.ts";

const execute = promisify(execFile);
const pollMs = 100;

export interface LostSlotOptions extends Load {
  /** Writes that are acknowledged from the time when the connectors hang until they are recovered, at least. */
  readonly writes: number;
}

export interface LostSlotResult extends Summary {
  /** What `chirrup events recover` said. */
  readonly recovered: readonly { readonly source: string; readonly replayed: number }[];
  readonly recoverSeconds: number;
}

async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  for (const end = performance.now() + patienceMs; !(await holds());) {
    if (performance.now() > end) throw new Error(`${what}: not after ${patienceMs / 1000} s`);
    await new Promise((resolve) => setTimeout(resolve, pollMs));
  }
}

/** Ends the connection of the slot's reader, which hangs and does not come again. */
async function takeReaderAway(client: pg.Client, slot: string): Promise<void> {
  await until(`${slot} is free`, async () => {
    const { rowCount } = await client.query(
      "SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE slot_name = $1 AND active",
      [slot],
    );
    return rowCount === 0;
  });
}

/**
 * Lets Postgres give the slot up, as it does past `max_slot_wal_keep_size`: by the other limit that it has, of the time
 * without a reader (PostgreSQL 18), for which nobody has to write gigabytes.
 */
async function giveUp(client: pg.Client, slot: string): Promise<void> {
  await takeReaderAway(client, slot);
  await client.query("ALTER SYSTEM SET idle_replication_slot_timeout = '1s'");
  await client.query("SELECT pg_reload_conf()");
  try {
    await until(`${slot} is given up`, async () => {
      await client.query("CHECKPOINT");
      const { rowCount } = await client.query(
        "SELECT FROM pg_replication_slots WHERE slot_name = $1 AND wal_status = 'lost'",
        [slot],
      );
      return rowCount === 1;
    });
  } finally {
    await client.query("ALTER SYSTEM RESET idle_replication_slot_timeout");
    await client.query("SELECT pg_reload_conf()");
  }
}

/** Drops the slot, as an operator might whom it kept from writing. */
async function drop(client: pg.Client, slot: string): Promise<void> {
  await takeReaderAway(client, slot);
  await client.query("SELECT pg_drop_replication_slot($1)", [slot]);
}

const losses: Partial<Record<DatabaseName, typeof drop>> = { post: giveUp, follow: drop };

/**
 * Takes slots from Debezium while Connect hangs and users write, runs `chirrup events recover` under the same load, and
 * compares all that was acknowledged with what is there.
 */
export async function runLostSlot(
  home: Home,
  state: State,
  options: LostSlotOptions,
): Promise<LostSlotResult> {
  const { access, parts } = state;
  const pid = parts.find(({ name }) => name === "connect")?.process?.pid;
  if (pid === undefined)
    throw new Error("slots are lost on the full profile alone: `chirrup up --profile full`");
  const { postgresSuperuser } = openSecrets(home);
  await using run = await openRun(state, options);
  const third = Math.ceil(options.writes / 3);
  const written = (writes: number): Promise<void> =>
    until(`${writes} writes`, () => Promise.resolve(run.acknowledged() >= writes));
  const writer = run.startWriter();
  const told: string[] = [];
  let recovered: LostSlotResult["recovered"];
  let recoverSeconds: number;
  try {
    process.kill(pid, "SIGSTOP");
    try {
      await written(third);
      for (const [source, lose] of Object.entries(losses) as [DatabaseName, typeof drop][]) {
        const primary = readPrimary(home, source);
        const port = Number(new URL(parts.find(({ name }) => name === primary)?.url ?? "").port);
        await withClient(superuserUrl(port, postgresSuperuser, source), (client) =>
          lose(client, `chirrup_${source}`),
        );
      }
      if ((await slotMetric(state, "post", "lost")) !== 1)
        told.push("the metrics do not tell that the slot is lost");
      await written(2 * third);
    } finally {
      process.kill(pid, "SIGCONT");
    }
    const startedAt = performance.now();
    const [entry = ""] = process.argv.slice(1);
    const { stdout } = await execute(
      process.execPath,
      [...process.execArgv, entry, "events", "recover", "--json"],
      { env: { ...process.env, CHIRRUP_HOME: home.dir } },
    );
    recoverSeconds = Math.round((performance.now() - startedAt) / 100) / 10;
    ({ recovered } = JSON.parse(stdout) as Pick<LostSlotResult, "recovered">);
    await written(3 * third);
  } finally {
    await writer.stop();
  }
  await untilReady(home);
  const missed = Object.keys(losses).filter((source) => !recovered.some((one) => one.source === source));
  const checks = [
    result("alert", 1, told),
    result(
      "recovery",
      Object.keys(losses).length,
      missed.map((source) => `the slot of ${source} was not recovered`),
    ),
    ...(await run.verify(access)),
  ];
  return { ...run.summarize(checks), recovered, recoverSeconds };
}
