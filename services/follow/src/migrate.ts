import { createLogger, migrate, platformMigrations } from "@chirrup/platform";
import { readMigrationConfig } from "./config.ts";
import { followMigrations } from "./migrations.ts";

const config = readMigrationConfig();
const log = createLogger({ service: "follow-migrate", level: config.LOG_LEVEL, format: config.LOG_FORMAT });
await migrate({ url: config.DATABASE_URL, folders: [platformMigrations, followMigrations], log });
