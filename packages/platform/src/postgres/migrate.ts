import { readdir, readFile } from "node:fs/promises";
import { Kysely, PostgresDialect, sql } from "kysely";
import { DEFAULT_MIGRATION_TABLE, type Migration, Migrator } from "kysely/migration";
import pg from "pg";
import type { Logger } from "../log/index.ts";
import { urlOfPrimary } from "./hosts.ts";

/** The tables that this package needs in each service's database. */
export const platformMigrations: URL = new URL("../../migrations/", import.meta.url);

export interface MigrateOptions {
  /** The primary, as a role that owns the schema. */
  url: string;
  /** Folders of `0001_name.sql` files; no two files in all of them have the same name. */
  folders: readonly URL[];
  log: Logger;
}

type Database = { [DEFAULT_MIGRATION_TABLE]: { name: string } };

const fileName = /^p?\d{4}_[a-z0-9_]+\.sql$/;

/**
 * Applies the files that have not been applied, by name, in one transaction: all of them or none.
 *
 * Forward only. Any number of processes may call it at once: one works, the others wait for it and find
 * nothing to do. A database that is ahead, because a newer release has migrated it, is left alone, so that
 * an older release can be brought back. Being in a transaction, a file cannot build an index CONCURRENTLY.
 *
 * A file gives up after ten seconds of waiting for a lock, and the migration fails with no effect: queries
 * queue behind a waiting ALTER TABLE, so waiting longer would be an outage.
 */
export async function migrate({ url, folders, log }: MigrateOptions): Promise<{ applied: string[] }> {
  const migrations = await readMigrations(folders);
  const pool = new pg.Pool({
    connectionString: await urlOfPrimary(url),
    application_name: "chirrup-migrate",
    max: 2,
  });
  pool.on("error", (error) => log.warn({ err: error }, "the migration's connection was lost"));
  await using db = new Kysely<Database>({ dialect: new PostgresDialect({ pool }) });
  const migrator = new Migrator({
    db,
    provider: {
      async getMigrations() {
        const known = await db.selectFrom(DEFAULT_MIGRATION_TABLE).select("name").execute();
        const newer = known.filter(({ name }) => !(name in migrations)).map(({ name }) => name);
        if (newer.length > 0) log.warn({ migrations: newer }, "the database is ahead of this release");
        return { ...migrations, ...Object.fromEntries(newer.map((name) => [name, appliedByNewerRelease])) };
      },
    },
    // A service's files and the platform's are two series, each of which grows.
    allowUnorderedMigrations: true,
  });

  const { error, results = [] } = await migrator.migrateToLatest();
  if (error !== undefined) {
    const failed = results.find(({ status }) => status === "Error");
    throw new Error(failed ? `migration ${failed.migrationName} failed` : "the migration failed", {
      cause: error,
    });
  }
  const applied = results.map(({ migrationName }) => migrationName);
  log.info({ applied }, applied.length > 0 ? "the database was migrated" : "the database is up to date");
  return { applied };
}

/** Kysely refuses to go on when an applied migration has no file. */
const appliedByNewerRelease: Migration = {
  up: () => Promise.reject(new Error("only a newer release can apply this migration")),
};

async function readMigrations(folders: readonly URL[]): Promise<Record<string, Migration>> {
  const migrations: Record<string, Migration> = {};
  for (const folder of folders) {
    const base = new URL(folder.href.endsWith("/") ? folder : `${folder.href}/`);
    for (const file of (await readdir(base)).filter((entry) => entry.endsWith(".sql"))) {
      if (!fileName.test(file)) throw new Error(`${file} is not named like a migration (0001_name.sql)`);
      const name = file.slice(0, -".sql".length);
      if (name in migrations) throw new Error(`two migrations are named ${name}`);
      const text = await readFile(new URL(file, base), "utf8");
      migrations[name] = {
        async up(tx) {
          await sql`set local lock_timeout = '10s'`.execute(tx);
          await sql.raw(text).execute(tx);
        },
      };
    }
  }
  return migrations;
}
