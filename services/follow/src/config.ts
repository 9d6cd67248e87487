import {
  commonSettings,
  databaseSettings,
  replicaWithSecret,
  setting,
  type CommonSettings,
  type DatabaseSettings,
} from "@chirrup/platform";
import { z } from "zod";
import { defaultDownThreshold, type Thresholds } from "./domain/celebrity-state.ts";

type NumberSetting = z.ZodType<number, string>;
type TextSetting = z.ZodType<string, string>;

type Settings = CommonSettings &
  DatabaseSettings & {
    readonly EVENT_LOG_URL: TextSetting;
    readonly USER_SERVICE: TextSetting;
    readonly CURSOR_SECRET: TextSetting;
    readonly CELEBRITY_THRESHOLD: z.ZodDefault<NumberSetting>;
    readonly CELEBRITY_DOWN_THRESHOLD: z.ZodOptional<NumberSetting>;
  };

export const configSchema: z.ZodObject<Settings> = z
  .object({
    ...commonSettings,
    ...databaseSettings("follow"),
    EVENT_LOG_URL: setting.eventLog().describe("The event log: kafka://host:port,… or, embedded, its Redis."),
    USER_SERVICE: setting.address().describe("host:port of the user service's gRPC port."),
    CURSOR_SECRET: setting.secret().describe("Signs list cursors; all instances share it."),
    CELEBRITY_THRESHOLD: setting
      .positiveInt()
      .default(10_000)
      .describe("From this many followers on, an author's posts are merged when read instead of pushed."),
    CELEBRITY_DOWN_THRESHOLD: setting
      .positiveInt()
      .optional()
      .describe("Below this many they are pushed again; 90 % of CELEBRITY_THRESHOLD when not set."),
  })
  .refine(({ CELEBRITY_THRESHOLD: up, CELEBRITY_DOWN_THRESHOLD: down }) => down === undefined || down <= up, {
    path: ["CELEBRITY_DOWN_THRESHOLD"],
    message: "must not be above CELEBRITY_THRESHOLD",
  })
  .refine(...replicaWithSecret);

export type Config = z.infer<typeof configSchema>;

export function thresholdsOf(
  config: Pick<Config, "CELEBRITY_THRESHOLD" | "CELEBRITY_DOWN_THRESHOLD">,
): Thresholds {
  const up = config.CELEBRITY_THRESHOLD;
  return { up, down: config.CELEBRITY_DOWN_THRESHOLD ?? defaultDownThreshold(up) };
}
