import pg from "pg";
import type { PostgresServer } from "@chirrup/servers";
import { type Logger, migrate, platformMigrations } from "@chirrup/platform";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { repositoryRoot } from "./paths.ts";

/** The services that own a database. */
export const databases = ["user", "follow", "post"] as const;
export type DatabaseName = (typeof databases)[number];

const relayRole = "relay";

async function withClient<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
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

async function ensureDatabase(client: pg.Client, name: string): Promise<void> {
  const { rowCount } = await client.query("SELECT FROM pg_database WHERE datname = $1", [name]);
  if (rowCount === 0)
    await client.query(
      `CREATE DATABASE ${client.escapeIdentifier(name)} OWNER ${client.escapeIdentifier(name)}`,
    );
  // Everybody may connect to a new database until this is said.
  await client.query(`REVOKE ALL ON DATABASE ${client.escapeIdentifier(name)} FROM PUBLIC`);
  await client.query(`GRANT CONNECT ON DATABASE ${client.escapeIdentifier(name)} TO ${relayRole}`);
}

/**
 * Prepares a database for the relay. The slot must exist before the first write, or the events before it are
 * never read; the right to read the outbox is what a relay needs to replay it when a slot was lost.
 */
async function prepareForRelay(superuserUrl: string, slot: string): Promise<void> {
  await withClient(superuserUrl, async (client) => {
    await client.query(`GRANT SELECT ON outbox TO ${relayRole}`);
    const { rowCount } = await client.query("SELECT FROM pg_replication_slots WHERE slot_name = $1", [slot]);
    if (rowCount === 0)
      await client.query("SELECT pg_create_logical_replication_slot($1, 'pgoutput')", [slot]);
  });
}

function urlFor(server: PostgresServer, role: string, password: string, database: string): string {
  return `postgres://${role}:${password}@127.0.0.1:${server.port}/${database}`;
}

export interface DatabaseUrls {
  readonly service: Readonly<Record<DatabaseName, string>>;
  readonly relay: Readonly<Record<DatabaseName, string>>;
}

/** Makes each service's role and database, runs its migrations, and makes the slot that the relay reads. */
export async function prepareDatabases(
  server: PostgresServer,
  password: string,
  log: Logger,
): Promise<DatabaseUrls> {
  await withClient(server.superuserUrl(), async (client) => {
    await ensureRole(client, relayRole, password, "REPLICATION");
    for (const name of databases) {
      await ensureRole(client, name, password, "");
      await ensureDatabase(client, name);
    }
  });
  const urls = (role: (name: DatabaseName) => string): Record<DatabaseName, string> => ({
    user: urlFor(server, role("user"), password, "user"),
    follow: urlFor(server, role("follow"), password, "follow"),
    post: urlFor(server, role("post"), password, "post"),
  });
  const service = urls((name) => name);
  await Promise.all(
    databases.map(async (name) => {
      const own = pathToFileURL(`${join(repositoryRoot, "services", name, "migrations")}/`);
      await migrate({ url: service[name], folders: [platformMigrations, own], log });
      await prepareForRelay(server.superuserUrl(name), `chirrup_${name}`);
    }),
  );
  return { service, relay: urls(() => relayRole) };
}
