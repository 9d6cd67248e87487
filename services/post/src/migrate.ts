import { createLogger, migrate, parseConfig, platformMigrations } from "@chirrup/platform";

import { migrationSchema } from "./config.ts";
import { postMigrations } from "./migrations.ts";

const config = parseConfig(migrationSchema, process.env);
const log = createLogger({ service: "post-migrate", level: config.LOG_LEVEL, format: config.LOG_FORMAT });
await migrate({ url: config.DATABASE_URL, folders: [platformMigrations, postMigrations], log });
