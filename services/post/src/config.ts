import {
  type CommonSettings,
  commonSettings,
  type DatabaseSettings,
  databaseSettings,
  replicaWithSecret,
  setting,
} from "@chirrup/platform";
import { z } from "zod";

type NumberSetting = z.ZodType<number, string>;
type TextSetting = z.ZodType<string, string>;

type Settings = CommonSettings &
  DatabaseSettings & {
    readonly EVENT_LOG_URL: TextSetting;
    readonly USER_SERVICE: TextSetting;
    readonly CURSOR_SECRET: TextSetting;
    readonly POST_EDIT_WINDOW_MS: z.ZodDefault<NumberSetting>;
  };

/** What the service needs to be told. */
export const configSchema: z.ZodObject<Settings> = z
  .object({
    ...commonSettings,
    ...databaseSettings("post"),
    EVENT_LOG_URL: setting.eventLog().describe("The event log: kafka://host:port,… or, embedded, its Redis."),
    USER_SERVICE: setting.address().describe("host:port of the user service's gRPC port."),
    CURSOR_SECRET: setting.secret().describe("Signs list cursors; all instances share it."),
    POST_EDIT_WINDOW_MS: setting
      .durationMs()
      .default(15 * 60_000)
      .describe("How long after it was written a post may be edited, in milliseconds."),
  })
  .refine(...replicaWithSecret);
