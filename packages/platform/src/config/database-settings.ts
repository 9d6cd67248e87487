import type { z } from "zod";

import type { DatabaseOptions } from "../postgres/open-database.ts";
import { processSettings, type ProcessSettings } from "./common-settings.ts";
import { setting } from "./setting.ts";

type NumberSetting = z.ZodType<number, string>;
type TextSetting = z.ZodType<string, string>;

/** What a service with a database of its own needs. */
export type DatabaseSettings = {
  readonly DATABASE_URL: TextSetting;
  readonly DATABASE_REPLICA_URL: z.ZodOptional<TextSetting>;
  readonly CONSISTENCY_SECRET: z.ZodOptional<TextSetting>;
  readonly REPLICA_MAX_LAG_MS: z.ZodDefault<NumberSetting>;
  readonly REPLICA_WAIT_MS: z.ZodDefault<NumberSetting>;
};

/**
 * To be spread into the schema of a service: `z.object({ ...commonSettings, ...databaseSettings("post") })`, with
 * `.refine(...replicaWithSecret)` behind it.
 */
export function databaseSettings(database: string): DatabaseSettings {
  return {
    DATABASE_URL: setting
      .postgres()
      .describe(
        `The ${database} database on its primary; several hosts, commas between, if any may become it.`,
      ),
    DATABASE_REPLICA_URL: setting
      .postgres()
      .optional()
      .describe(
        "The same on a replica, for reads; several hosts if any may be it. Without it all go to the primary.",
      ),
    CONSISTENCY_SECRET: setting
      .secret()
      .optional()
      .describe(
        "Authenticates consistency tokens; the same for all instances, required with DATABASE_REPLICA_URL.",
      ),
    REPLICA_MAX_LAG_MS: setting
      .positiveInt()
      .refine((value) => value <= 3_600_000, "must be at most 3600000")
      .default(10_000)
      .describe("A replica further behind gets no reads until it has caught up, in milliseconds."),
    REPLICA_WAIT_MS: setting
      .durationMs()
      .default(50)
      .describe("How long a read waits for the replica to have what its caller wrote, in milliseconds."),
  };
}

/** What a program needs that does one thing to a service's database and ends. */
export type DatabaseTaskSettings = ProcessSettings & Pick<DatabaseSettings, "DATABASE_URL">;

export function databaseTaskSettings(database: string): DatabaseTaskSettings {
  return { ...processSettings, DATABASE_URL: databaseSettings(database).DATABASE_URL };
}

/** These settings as `openDatabase` takes them. */
export function databaseOptions(
  config: z.output<z.ZodObject<DatabaseSettings>>,
): Pick<DatabaseOptions, "url" | "replicaUrl" | "consistencySecret" | "maxLagMs" | "waitMs"> {
  return {
    url: config.DATABASE_URL,
    replicaUrl: config.DATABASE_REPLICA_URL,
    consistencySecret: config.CONSISTENCY_SECRET,
    maxLagMs: config.REPLICA_MAX_LAG_MS,
    waitMs: config.REPLICA_WAIT_MS,
  };
}

interface ReplicaSettings {
  readonly DATABASE_REPLICA_URL?: string | undefined;
  readonly CONSISTENCY_SECRET?: string | undefined;
}

/** Without tokens a caller could miss on a replica what they have just written. */
export const replicaWithSecret: [
  check: (config: ReplicaSettings) => boolean,
  params: { readonly path: string[]; readonly message: string },
] = [
  ({ DATABASE_REPLICA_URL: url, CONSISTENCY_SECRET: secret }) => url === undefined || secret !== undefined,
  { path: ["CONSISTENCY_SECRET"], message: "is required with DATABASE_REPLICA_URL" },
];
