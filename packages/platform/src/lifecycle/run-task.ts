import type { z } from "zod";

import type { ProcessSettings } from "../config/index.ts";
import { createLogger, type Logger } from "../log/index.ts";
import { readConfig } from "./read-config.ts";

export interface RunTaskOptions<S extends z.ZodObject<ProcessSettings>> {
  /** Stands in the log: "post-migrate". */
  readonly name: string;
  /** The settings, with `processSettings` among them. */
  readonly schema: S;
  run(task: { readonly config: z.infer<S>; readonly log: Logger }): Promise<void>;
}

/**
 * Runs a program that does one thing and ends. Exit codes: 0 when it is done, 78 when the settings are wrong. Rejects,
 * which ends the process with 1, when the work fails.
 */
export async function runTask<S extends z.ZodObject<ProcessSettings>>({
  name,
  schema,
  run,
}: RunTaskOptions<S>): Promise<void> {
  const config = readConfig(schema);
  if (config === undefined) return;
  const { LOG_LEVEL: level, LOG_FORMAT: format } = config;
  await run({ config, log: createLogger({ service: name, level, format }) });
}
