// Applies the migrations to DATABASE_URL and exits: 0 when the database is up to date.
import { databaseTaskSettings, migrate, platformMigrations, runTask } from "@chirrup/platform";
import { z } from "zod";
import { userMigrations } from "./migrations.ts";

await runTask({
  name: "user-migrate",
  schema: z.object(databaseTaskSettings("user")),
  async run({ config, log }) {
    await migrate({ url: config.DATABASE_URL, folders: [platformMigrations, userMigrations], log });
  },
});
