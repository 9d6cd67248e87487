import { execFile } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";
import { type Identity, runsAs } from "./identity.ts";
import { postgresBinDir } from "./postgres-binaries.ts";
import { type ExitInfo, isAlive, startProcess, untilAnswers } from "./process.ts";

const execute = promisify(execFile);
const superuser = "chirrup";

export interface PostgresOptions {
  /** Made and initialised when it is empty. */
  readonly dataDir: string;
  readonly port: number;
  /** Passed as `-c name=value`. */
  readonly settings?: Readonly<Record<string, string>>;
  readonly logFile: string;
  readonly superuserPassword: string;
  /** Ends the start: the process is stopped and the promise rejects. */
  readonly signal?: AbortSignal | undefined;
}

export interface PostgresServer {
  readonly port: number;
  readonly pid: number;
  readonly exited: Promise<ExitInfo>;
  /** A URL of the superuser, by default for the database `postgres`. */
  superuserUrl(database?: string): string;
  /** Fast shutdown: clients are disconnected, data is flushed. */
  stop(): Promise<ExitInfo>;
}

/** A URL of the superuser of a server on this machine. */
export function superuserUrl(port: number, password: string, database = "postgres"): string {
  return `postgres://${superuser}:${encodeURIComponent(password)}@127.0.0.1:${port}/${database}`;
}

const settings: Readonly<Record<string, string>> = {
  listen_addresses: "127.0.0.1",
  unix_socket_directories: "",
  wal_level: "logical",
  max_connections: "200",
  max_wal_senders: "20",
  max_replication_slots: "20",
  shared_buffers: "128MB",
  // An abandoned slot must not fill the disk.
  max_slot_wal_keep_size: "4GB",
  // A reader that hangs and takes nothing from its socket would block the very walsender that has to let go of the slot,
  // and with it the checkpoint that removes WAL. Only Linux knows such a limit.
  ...(process.platform === "linux" ? { tcp_user_timeout: "30s" } : {}),
  log_min_messages: "warning",
  // Checkpoints are logged by default and say nothing to a developer.
  log_checkpoints: "off",
};

function environment(): NodeJS.ProcessEnv {
  return { ...process.env, LD_LIBRARY_PATH: join(postgresBinDir(), "..", "lib"), LC_ALL: "C", TZ: "UTC" };
}

function command(identity: Identity, program: string, args: readonly string[]): [string, string[]] {
  const [first, ...rest] = [...identity.prefix, program, ...args];
  return [first as string, rest];
}

/** Initialises an empty data directory: UTF-8, C locale, SCRAM for everybody. Does nothing to a full one. */
export async function initPostgres(dataDir: string, superuserPassword: string): Promise<void> {
  if (existsSync(join(dataDir, "PG_VERSION"))) return;
  // A directory without its version file is a first start that was interrupted.
  rmSync(dataDir, { recursive: true, force: true });
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const passwordFile = `${dataDir}.password`;
  writeFileSync(passwordFile, superuserPassword, { mode: 0o600 });
  try {
    const identity = runsAs(dataDir, postgresBinDir());
    runsAs(passwordFile, postgresBinDir());
    const [program, args] = command(identity, join(postgresBinDir(), "initdb"), [
      "--pgdata",
      dataDir,
      "--username",
      superuser,
      "--pwfile",
      passwordFile,
      "--auth",
      "scram-sha-256",
      "--encoding",
      "UTF8",
      "--locale",
      "C",
      "--no-instructions",
    ]);
    await execute(program, args, { env: environment(), uid: identity.uid, gid: identity.gid });
  } catch (error) {
    rmSync(dataDir, { recursive: true, force: true });
    const text = (error as { stderr?: string }).stderr?.trim() ?? String(error);
    throw new Error(`initdb failed: ${text}`, { cause: error });
  } finally {
    rmSync(passwordFile, { force: true });
  }
}

/** A server that a killed launcher left behind keeps its lock: it is stopped, as the data is ours. */
export async function stopLeftover(dataDir: string): Promise<void> {
  const lockFile = join(dataDir, "postmaster.pid");
  if (!existsSync(lockFile)) return;
  const pid = Number(readFileSync(lockFile, "utf8").split("\n")[0]);
  if (!Number.isInteger(pid) || pid <= 0 || !isAlive(pid, "postgres")) {
    rmSync(lockFile, { force: true });
    return;
  }
  process.kill(pid, "SIGINT");
  for (let waitedMs = 0; isAlive(pid, "postgres"); waitedMs += 50) {
    if (waitedMs > 20_000) throw new Error(`Postgres ${pid}, left over from an earlier run, does not stop`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** Whether the server takes queries: it answers a startup packet with a request for authentication. */
function acceptsConnections(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: "127.0.0.1", port });
    const done = (answer: boolean): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(1_000, () => done(false));
    socket.once("error", () => done(false));
    socket.once("connect", () => {
      const body = Buffer.from(`\0\x03\0\0user\0${superuser}\0database\0postgres\0\0`, "latin1");
      const length = Buffer.alloc(4);
      length.writeUInt32BE(body.length + 4);
      socket.write(Buffer.concat([length, body]));
    });
    // "R" asks for the password; "E" says that the server is still starting.
    socket.once("data", (data: Buffer) => done(data[0] === 0x52));
    socket.once("close", () => done(false));
  });
}

/** Starts a Postgres server on 127.0.0.1 and waits until it takes connections. */
export async function startPostgres(options: PostgresOptions): Promise<PostgresServer> {
  await stopLeftover(options.dataDir);
  await initPostgres(options.dataDir, options.superuserPassword);
  return runPostgres(options);
}

/** Runs the server of a data directory that is complete. */
export async function runPostgres(options: PostgresOptions): Promise<PostgresServer> {
  const { dataDir, port, superuserPassword } = options;
  const identity = runsAs(dataDir, postgresBinDir());
  const given = Object.entries({ ...settings, ...options.settings }).flatMap(([name, value]) => [
    "-c",
    `${name}=${value}`,
  ]);
  const [program, args] = command(identity, join(postgresBinDir(), "postgres"), [
    "-D",
    dataDir,
    "-p",
    String(port),
    ...given,
  ]);
  const running = await startProcess({
    command: program,
    args,
    env: environment(),
    logFile: options.logFile,
    stopSignal: "SIGINT",
    ...(identity.uid === undefined ? {} : { uid: identity.uid }),
    ...(identity.gid === undefined ? {} : { gid: identity.gid }),
  });
  await untilAnswers({
    name: "Postgres",
    running,
    answers: () => acceptsConnections(port),
    withinMs: 60_000,
    everyMs: 20,
    signal: options.signal,
  });
  return {
    port,
    pid: running.pid,
    exited: running.exited,
    superuserUrl: (database) => superuserUrl(port, superuserPassword, database),
    stop: running.stop,
  };
}
