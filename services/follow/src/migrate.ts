// Applies the migrations to DATABASE_URL and exits: 0 when the database is up to date.
import { ConfigError, createLogger, migrate, platformMigrations } from "@chirrup/platform";
import { readMigrationConfig } from "./config.ts";
import { followMigrations } from "./migrations.ts";

/** EX_CONFIG of sysexits.h, as the service itself ends with. */
const configExitCode = 78;

try {
  const { DATABASE_URL: url, LOG_LEVEL: level, LOG_FORMAT: format } = readMigrationConfig();
  const log = createLogger({ service: "follow-migrate", level, format });
  await migrate({ url, folders: [platformMigrations, followMigrations], log });
} catch (error) {
  if (!(error instanceof ConfigError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = configExitCode;
}
