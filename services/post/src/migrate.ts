import { ConfigError, createLogger, migrate, platformMigrations } from "@chirrup/platform";

import { parseMigrationConfig } from "./config.ts";
import { postMigrations } from "./migrations.ts";

/** EX_CONFIG of sysexits.h, as the service itself ends with. */
const configExitCode = 78;

try {
  const { DATABASE_URL: url, LOG_LEVEL: level, LOG_FORMAT: format } = parseMigrationConfig(process.env);
  const log = createLogger({ service: "post-migrate", level, format });
  await migrate({ url, folders: [platformMigrations, postMigrations], log });
} catch (error) {
  if (!(error instanceof ConfigError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = configExitCode;
}
