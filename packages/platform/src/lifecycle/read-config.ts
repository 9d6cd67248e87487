import type { z } from "zod";

import { ConfigError, parseConfig, type ProcessSettings } from "../config/index.ts";

/** EX_CONFIG of sysexits.h: trying again does not help. */
const configExitCode = 78;

/** A program's settings; undefined when they are wrong, which is then said and will be the exit code. */
export function readConfig<S extends z.ZodObject<ProcessSettings>>(schema: S): z.infer<S> | undefined {
  try {
    return parseConfig(schema, process.env);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exitCode = configExitCode;
    return undefined;
  }
}
