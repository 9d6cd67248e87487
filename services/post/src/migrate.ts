// Applies the migrations to DATABASE_URL and exits: 0 when the database is up to date.
import { databaseTaskSettings, migrate, platformMigrations, runTask } from "@chirrup/platform";
import { z } from "zod";
import { postMigrations } from "./migrations.ts";

await runTask({
  name: "post-migrate",
  schema: z.object(databaseTaskSettings("post")),
  async run({ config, log }) {
    await migrate({ url: config.DATABASE_URL, folders: [platformMigrations, postMigrations], log });
  },
});
