import pg from "pg";
import { type Logger, migrate, platformMigrations } from "@chirrup/platform";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { repositoryRoot } from "./paths.ts";

/** The services that own a database. */
export const databases = ["user", "follow", "post"] as const;
export type DatabaseName = (typeof databases)[number];

/** Works with a connection of its own, which ends with the work. */
export async function withClient<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

async function ensureRole(client: pg.Client, role: string, password: string, rights: string): Promise<void> {
  const { rowCount } = await client.query("SELECT FROM pg_roles WHERE rolname = $1", [role]);
  if (rowCount !== 0) return;
  await client.query(
    `CREATE ROLE ${client.escapeIdentifier(role)} LOGIN ${rights} PASSWORD ${client.escapeLiteral(password)}`,
  );
}

async function ensureDatabase(client: pg.Client, name: string, reader: string): Promise<void> {
  const { rowCount } = await client.query("SELECT FROM pg_database WHERE datname = $1", [name]);
  if (rowCount === 0)
    await client.query(
      `CREATE DATABASE ${client.escapeIdentifier(name)} OWNER ${client.escapeIdentifier(name)}`,
    );
  // Everybody may connect to a new database until this is said.
  await client.query(`REVOKE ALL ON DATABASE ${client.escapeIdentifier(name)} FROM PUBLIC`);
  await client.query(`GRANT CONNECT ON DATABASE ${client.escapeIdentifier(name)} TO ${reader}`);
}

/** Who reads the outboxes by logical replication. */
export interface OutboxReader {
  readonly role: string;
  /** It replays rows from before its slot: it may read the table too. */
  readonly replays: boolean;
  /** The slot is copied to the primary's replicas, so that it is there after a promotion (PostgreSQL 17). */
  readonly failover: boolean;
}

/** The slot must exist before the first write, or the events before it are never read. */
async function prepareOutbox(superuserUrl: string, slot: string, reader: OutboxReader): Promise<void> {
  await withClient(superuserUrl, async (client) => {
    if (reader.replays) await client.query(`GRANT SELECT ON outbox TO ${reader.role}`);
    const { rowCount } = await client.query("SELECT FROM pg_replication_slots WHERE slot_name = $1", [slot]);
    if (rowCount === 0)
      await client.query(
        "SELECT pg_create_logical_replication_slot($1, 'pgoutput', temporary => false, twophase => false, failover => $2)",
        [slot, reader.failover],
      );
  });
}

/** A running server with databases of services. */
export interface DatabaseServer {
  readonly port: number;
  superuserUrl(database?: string): string;
}

export type PerDatabase<T> = Readonly<Record<DatabaseName, T>>;

/** A promotion changes what `primary` and `reader` say. */
export interface DatabaseUrls {
  /** For the services: of all servers that may be the primary. */
  readonly service: PerDatabase<string>;
  /** For queries that bear to be a little behind; only where there are replicas, and of all servers that may be one. */
  readonly replica?: PerDatabase<string>;
  /** Of the one server that is the primary now. */
  readonly primary: PerDatabase<string>;
  /** The same for who reads the outboxes. */
  readonly reader: PerDatabase<string>;
}

export async function perDatabase<T>(make: (name: DatabaseName) => Promise<T> | T): Promise<PerDatabase<T>> {
  const [user, follow, post] = await Promise.all([make("user"), make("follow"), make("post")]);
  return { user, follow, post };
}

export function databaseUrl(port: number | string, role: string, password: string, database: string): string {
  return `postgres://${role}:${password}@127.0.0.1:${port}/${database}`;
}

/** Makes a role that may copy the whole server, for its replica. */
export async function ensureReplicaRole(
  server: DatabaseServer,
  role: string,
  password: string,
): Promise<void> {
  await withClient(server.superuserUrl(), (client) => ensureRole(client, role, password, "REPLICATION"));
}

/** Makes each service's role and database, runs its migrations, and makes the slot that the reader reads. */
export async function prepareDatabases(options: {
  readonly servers: PerDatabase<DatabaseServer>;
  readonly password: string;
  readonly reader: OutboxReader;
  readonly log: Logger;
}): Promise<DatabaseUrls> {
  const { servers, password, reader, log } = options;
  for (const name of databases) {
    await withClient(servers[name].superuserUrl(), async (client) => {
      await ensureRole(client, reader.role, password, "REPLICATION");
      await ensureRole(client, name, password, "");
      await ensureDatabase(client, name, reader.role);
    });
  }
  const service = await perDatabase((name) => databaseUrl(servers[name].port, name, password, name));
  await Promise.all(
    databases.map(async (name) => {
      const own = pathToFileURL(`${join(repositoryRoot, "services", name, "migrations")}/`);
      await migrate({ url: service[name], folders: [platformMigrations, own], log });
      await prepareOutbox(servers[name].superuserUrl(name), `chirrup_${name}`, reader);
    }),
  );
  return {
    service,
    primary: service,
    reader: await perDatabase((name) => databaseUrl(servers[name].port, reader.role, password, name)),
  };
}
