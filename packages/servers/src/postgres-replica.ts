import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import pg from "pg";
import { copyDataDir } from "./postgres-copy.ts";
import { type PostgresServer, runPostgres, stopLeftover } from "./postgres.ts";

export interface PostgresReplicaOptions {
  readonly primary: {
    readonly port: number;
    readonly dataDir: string;
    readonly superuserUrl: string;
  };
  /** A role with LOGIN and REPLICATION on the primary. */
  readonly replication: { readonly role: string; readonly password: string };
  /** Physical slot of this replica on the primary; made when it is missing. */
  readonly slot: string;
  /** Filled by a base backup when it is empty or does not fit the primary. */
  readonly dataDir: string;
  readonly port: number;
  readonly settings?: Readonly<Record<string, string>>;
  readonly logFile: string;
  readonly superuserPassword: string;
  /** Ends the start: the process is stopped and the promise rejects. */
  readonly signal?: AbortSignal | undefined;
}

const signalFile = "standby.signal";

/** The first eight bytes of pg_control: which cluster the files belong to. */
function systemIdentifier(dataDir: string): string {
  return String(readFileSync(join(dataDir, "global", "pg_control")).readBigUInt64LE(0));
}

/** Whether streaming can go on from the files: same cluster, and the slot has kept what they lack. */
async function fits(client: pg.Client, dataDir: string, slot: string): Promise<boolean> {
  const identity = await client.query<{ id: string }>(
    "SELECT system_identifier::text AS id FROM pg_control_system()",
  );
  if (identity.rows[0]?.id !== systemIdentifier(dataDir)) return false;
  const kept = await client.query(
    "SELECT FROM pg_replication_slots WHERE slot_name = $1 AND wal_status IS DISTINCT FROM 'lost'",
    [slot],
  );
  return kept.rowCount === 1;
}

/**
 * Takes a low-level base backup of the running primary into `dataDir` (PostgreSQL manual, "Making a Base
 * Backup Using the Low Level API").
 *
 * Why not pg_basebackup: the binaries from npm come without it. The files of the WAL are not copied: the
 * slot is made first and keeps them, so the replica streams all that it needs to become consistent.
 */
async function takeBaseBackup(client: pg.Client, options: PostgresReplicaOptions): Promise<void> {
  const { primary, slot, dataDir } = options;
  const unfinished = `${dataDir}.copy`;
  for (const folder of [unfinished, dataDir]) rmSync(folder, { recursive: true, force: true });
  await client.query(
    "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = $1",
    [slot],
  );
  await client.query("SELECT pg_create_physical_replication_slot($1, true)", [slot]);
  // The backup lasts as long as this session.
  await client.query("SELECT pg_backup_start($1, fast => true)", [slot]);
  mkdirSync(unfinished, { recursive: true, mode: 0o700 });
  await copyDataDir(primary.dataDir, unfinished);
  const stopped = await client.query<{ label: string; spaces: string }>(
    "SELECT labelfile AS label, spcmapfile AS spaces FROM pg_backup_stop(wait_for_archive => false)",
  );
  const [backup] = stopped.rows;
  if (backup === undefined) throw new Error("pg_backup_stop answered nothing");
  writeFileSync(join(unfinished, "backup_label"), backup.label, { mode: 0o600 });
  if (backup.spaces !== "") {
    writeFileSync(join(unfinished, "tablespace_map"), backup.spaces, { mode: 0o600 });
  }
  writeFileSync(join(unfinished, signalFile), "", { mode: 0o600 });
  // A directory by its own name is a whole backup, whenever this process dies.
  renameSync(unfinished, dataDir);
}

async function prepareDataDir(options: PostgresReplicaOptions): Promise<void> {
  const { primary, dataDir, slot } = options;
  const exists = existsSync(dataDir);
  if (exists && !existsSync(join(dataDir, signalFile))) {
    throw new Error(`${dataDir} is no replica any more: it has been promoted`);
  }
  const client = new pg.Client({ connectionString: primary.superuserUrl, connectionTimeoutMillis: 5_000 });
  client.on("error", () => undefined);
  try {
    await client.connect();
  } catch (error) {
    // Without its primary a replica still serves what it has.
    if (exists) return;
    throw error;
  }
  try {
    if (!exists || !(await fits(client, dataDir, slot))) await takeBaseBackup(client, options);
  } finally {
    await client.end();
  }
}

const escapeBackslashes = (text: string): string => text.replaceAll("\\", "\\\\");
/** A value inside a connection string (libpq, "Connection Strings"). */
const quoted = (value: string): string => `'${escapeBackslashes(value).replaceAll("'", "\\'")}'`;
/** A line of postgresql.conf, where a backslash escapes too. */
const configLine = (name: string, value: string): string =>
  `${name} = '${escapeBackslashes(value).replaceAll("'", "''")}'\n`;

function writeConnection({ primary, replication, slot, dataDir }: PostgresReplicaOptions): void {
  const conninfo = [
    "host=127.0.0.1",
    `port=${primary.port}`,
    `user=${quoted(replication.role)}`,
    `password=${quoted(replication.password)}`,
    // What copies the failover slots asks for them by SQL.
    "dbname=postgres",
    `application_name=${slot}`,
  ].join(" ");
  // In a file, because the arguments of a process can be read by every user of the machine. This one is
  // read last of all and is the replica's own; the primary's port is another at each start.
  writeFileSync(
    join(dataDir, "postgresql.auto.conf"),
    configLine("primary_conninfo", conninfo) + configLine("primary_slot_name", slot),
    { mode: 0o600 },
  );
}

/**
 * Starts a hot standby of a primary on this machine, by a physical slot, and waits until it takes
 * connections. The first start, and one whose files cannot go on, copies the primary, which must run then.
 *
 * The primary's logical slots that are made for failover are copied to it as they move (PostgreSQL 17), and
 * the rows that its queries need are not vacuumed away.
 */
export async function startPostgresReplica(options: PostgresReplicaOptions): Promise<PostgresServer> {
  await stopLeftover(options.dataDir);
  await prepareDataDir(options);
  writeConnection(options);
  return runPostgres({
    dataDir: options.dataDir,
    port: options.port,
    logFile: options.logFile,
    superuserPassword: options.superuserPassword,
    signal: options.signal,
    settings: {
      hot_standby: "on",
      hot_standby_feedback: "on",
      sync_replication_slots: "on",
      ...options.settings,
    },
  });
}
