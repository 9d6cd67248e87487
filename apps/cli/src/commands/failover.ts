import { superuserUrl } from "@chirrup/servers";
import pg from "pg";
import { databases } from "../launcher/databases.ts";
import { openHome } from "../launcher/paths.ts";
import { pairOf, readPrimary, writePrimary } from "../launcher/roles.ts";
import { replicaName } from "../launcher/profiles/postgres-pairs.ts";
import { openSecrets } from "../launcher/secrets.ts";
import { isRunning, type ProcessMark, readState } from "../launcher/state.ts";

export interface FailoverFlags {
  readonly kill?: boolean;
  readonly json?: boolean;
}

const stopsWithinMs = 20_000;
/** The server tries again after 0.2 to 30 seconds, and only when Debezium has gone on meanwhile. */
const slotWithinMs = 120_000;

/**
 * `chirrup failover`: stops the primary of a service's pair and promotes its replica; the launcher makes the old primary the
 * replica of the new. The old one is stopped first, or both would take writes. Stopped in good order it sends its replica
 * all that it has acknowledged; killed, what the replica has not received is lost, unless it was a synchronous one.
 */
export async function failover(service: string, flags: FailoverFlags): Promise<void> {
  const home = openHome();
  const state = readState(home);
  if (state === undefined || !isRunning(state.launcher))
    throw new Error("nothing runs: start it with `chirrup up`");
  if (state.profile !== "full")
    throw new Error("only the full profile has replicas: `chirrup up --profile full`");
  const source = databases.find((name) => name === service);
  if (source === undefined) throw new Error(`${service} is none of ${databases.join(", ")}`);

  const was = readPrimary(home, source);
  const next = pairOf(source).find((name) => name !== was) ?? was;
  const portOf = (name: string): number => {
    const part = state.parts.find((one) => one.name === name);
    if (part === undefined) throw new Error(`${name} does not run`);
    return Number(new URL(part.url).port);
  };
  const password = openSecrets(home).postgresSuperuser;
  const urlOf = (name: string): string => superuserUrl(portOf(name), password);
  const [standby] = await query<{ standby: boolean }>(urlOf(next), "SELECT pg_is_in_recovery() AS standby");
  if (standby?.standby !== true) throw new Error(`${next} is no replica`);
  if (flags.kill !== true) await requireStreaming(urlOf(was), next);
  await untilSlotIsCopied(urlOf(next), `chirrup_${source}`, next);

  const startedMs = performance.now();
  writePrimary(home, source, next);
  const mark = state.parts.find(({ name }) => name === was)?.process;
  try {
    await end(mark, flags.kill === true);
    await query(urlOf(next), "SELECT pg_promote(wait => true, wait_seconds => 60)");
  } catch (error) {
    throw new Error(`${next} was not promoted; the command may be repeated`, { cause: error });
  }
  const ms = Math.round(performance.now() - startedMs);
  process.stdout.write(
    flags.json === true
      ? `${JSON.stringify({ service: source, primary: next, replica: was, withoutPrimaryMs: ms })}\n`
      : `${next} is the primary of ${source} after ${ms} ms; ${was} becomes its replica.\n`,
  );
}

/** A replica that does not stream lacks what the primary has acknowledged. */
async function requireStreaming(primaryUrl: string, replica: string): Promise<void> {
  const rows = await query(
    primaryUrl,
    `SELECT FROM pg_stat_replication WHERE state = 'streaming' AND application_name = '${replicaName}'`,
  );
  if (rows.length === 0)
    throw new Error(`${replica} does not stream: promoted, it would lack acknowledged writes`);
}

/**
 * Without a copy of the slot that Debezium reads, a promoted server would have none, and what nobody had read would reach
 * no feed. A new replica gets it as soon as the slot needs nothing from before the replica was made.
 */
async function untilSlotIsCopied(replicaUrl: string, slot: string, replica: string): Promise<void> {
  const copied = `SELECT FROM pg_replication_slots
    WHERE slot_name = '${slot}' AND synced AND NOT temporary AND invalidation_reason IS NULL`;
  for (const until = performance.now() + slotWithinMs; (await query(replicaUrl, copied)).length === 0;) {
    if (performance.now() > until)
      throw new Error(`${replica} has no copy of the slot ${slot}: promoted, it would lose events`);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

async function end(mark: ProcessMark | undefined, atOnce: boolean): Promise<void> {
  if (mark === undefined || !isRunning(mark)) return;
  // Fast shutdown: clients are disconnected, and replicas get everything before the end.
  process.kill(mark.pid, atOnce ? "SIGKILL" : "SIGINT");
  for (let until = performance.now() + stopsWithinMs; isRunning(mark);) {
    if (performance.now() > until) {
      process.kill(mark.pid, "SIGKILL");
      until += stopsWithinMs;
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

async function query<Row extends pg.QueryResultRow>(url: string, text: string): Promise<Row[]> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5_000 });
  client.on("error", () => undefined);
  await client.connect();
  try {
    return (await client.query<Row>(text)).rows;
  } finally {
    await client.end();
  }
}
