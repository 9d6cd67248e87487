import { type CommonSettings, commonSettings, setting } from "@chirrup/platform";
import { z } from "zod";

interface Settings extends CommonSettings {
  readonly DATABASE_URL: z.ZodType<string, string>;
  readonly USER_SERVICE: z.ZodType<string, string>;
  readonly CURSOR_SECRET: z.ZodType<string, string>;
}

export const configSchema: z.ZodObject<Settings> = z.object({
  ...commonSettings,
  DATABASE_URL: setting.url("postgres", "postgresql").describe("The post database on its primary."),
  USER_SERVICE: setting.address().describe("host:port of the user service's gRPC port."),
  CURSOR_SECRET: setting.secret().describe("Signs list cursors; all instances share it."),
});

const { DATABASE_URL, LOG_LEVEL, LOG_FORMAT } = configSchema.shape;

/** What a migration needs: a part of the service's settings. */
export const migrationSchema: z.ZodObject<Pick<Settings, "DATABASE_URL" | "LOG_LEVEL" | "LOG_FORMAT">> =
  z.object({
    DATABASE_URL,
    LOG_LEVEL,
    LOG_FORMAT,
  });
