// Applies the migrations to DATABASE_URL and exits: 0 when the database is up to date.
import { databaseTaskSettings, migrate, platformMigrations, runTask } from "@chirrup/platform";
import { z } from "zod";
import { followMigrations } from "./migrations.ts";

await runTask({
  name: "follow-migrate",
  schema: z.object(databaseTaskSettings("follow")),
  async run({ config, log }) {
    await migrate({ url: config.DATABASE_URL, folders: [platformMigrations, followMigrations], log });
  },
});
