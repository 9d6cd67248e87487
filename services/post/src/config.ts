import {
  type CommonSettings,
  commonSettings,
  parseConfig,
  type ProcessSettings,
  processSettings,
  setting,
} from "@chirrup/platform";
import { z } from "zod";

type NumberSetting = z.ZodType<number, string>;
type TextSetting = z.ZodType<string, string>;

type MigrationSettings = ProcessSettings & { readonly DATABASE_URL: TextSetting };

type Settings = CommonSettings &
  MigrationSettings & {
    readonly EVENT_LOG_URL: TextSetting;
    readonly USER_SERVICE: TextSetting;
    readonly CURSOR_SECRET: TextSetting;
    readonly POST_EDIT_WINDOW_MS: z.ZodDefault<NumberSetting>;
  };

const databaseUrl = setting.url("postgres", "postgresql").describe("The post database on its primary.");

/** What the service needs to be told. */
export const configSchema: z.ZodObject<Settings> = z.object({
  ...commonSettings,
  DATABASE_URL: databaseUrl,
  EVENT_LOG_URL: setting.eventLog().describe("The event log: kafka://host:port,… or, embedded, its Redis."),
  USER_SERVICE: setting.address().describe("host:port of the user service's gRPC port."),
  CURSOR_SECRET: setting.secret().describe("Signs list cursors; all instances share it."),
  POST_EDIT_WINDOW_MS: setting
    .durationMs()
    .default(15 * 60_000)
    .describe("How long after it was written a post may be edited, in milliseconds."),
});

const migrationSchema: z.ZodObject<MigrationSettings> = z.object({
  ...processSettings,
  DATABASE_URL: databaseUrl,
});

/** The part of the settings that a migration needs. Throws ConfigError. */
export function parseMigrationConfig(
  env: Readonly<Record<string, string | undefined>>,
): z.infer<typeof migrationSchema> {
  return parseConfig(migrationSchema, env);
}
