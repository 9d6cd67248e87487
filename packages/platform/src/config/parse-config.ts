import type { z } from "zod";

export interface ConfigFault {
  /** The setting's name. */
  readonly name: string;
  /** What is wrong with it; never its value. */
  readonly fault: string;
}

/** Settings are missing or wrong. The message lists all of them, one a line, and no value. */
export class ConfigError extends Error {
  readonly faults: readonly ConfigFault[];

  constructor(faults: readonly ConfigFault[]) {
    super(
      ["the settings are not usable:", ...faults.map(({ name, fault }) => `  ${name} ${fault}`)].join("\n"),
    );
    this.name = "ConfigError";
    this.faults = faults;
  }
}

/**
 * Reads the settings that the schema names from an environment. A variable that is set to nothing counts as not set.
 * Throws ConfigError with every fault.
 */
export function parseConfig<S extends z.ZodObject>(
  schema: S,
  env: Readonly<Record<string, string | undefined>>,
): z.infer<S> {
  const input = Object.fromEntries(
    Object.keys(schema.shape).flatMap((name) => {
      const value = env[name];
      return value === undefined || value === "" ? [] : [[name, value]];
    }),
  );
  const result = schema.safeParse(input);
  if (result.success) return result.data;
  throw new ConfigError(
    result.error.issues.map((issue) => {
      const name = String(issue.path[0] ?? "(all)");
      const missing = issue.path.length === 1 && !(name in input);
      return { name, fault: missing ? "is required" : issue.message };
    }),
  );
}
