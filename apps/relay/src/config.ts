import { type ProcessSettings, processSettings, setting } from "@chirrup/platform";
import { z } from "zod";

const sourcePattern = /^([a-z0-9_]{1,32})=(postgres(?:ql)?:\/\/\S+)$/;

/** `user=postgres://…,follow=postgres://…`; the names become part of the slots' names. */
function sources(): z.ZodType<ReadonlyMap<string, string>, string> {
  const message = "must be name=postgres://…, separated by commas, every name once";
  return z.string().transform((text, context) => {
    const found = new Map<string, string>();
    for (const part of text.split(",")) {
      const [, name, url] = sourcePattern.exec(part.trim()) ?? [];
      if (name === undefined || url === undefined || found.has(name)) {
        context.addIssue({ code: "custom", message });
        return z.NEVER;
      }
      found.set(name, url);
    }
    return found;
  });
}

type RelaySettings = ProcessSettings & {
  readonly HOST: z.ZodDefault<z.ZodType<string, string>>;
  readonly HTTP_PORT: z.ZodType<number, string>;
  readonly SOURCES: z.ZodType<ReadonlyMap<string, string>, string>;
  readonly EVENT_LOG_URL: z.ZodType<string, string>;
  readonly MIN_RETENTION_MS: z.ZodDefault<z.ZodType<number, string>>;
};

export const configSchema: z.ZodObject<RelaySettings> = z.object({
  ...processSettings,
  HOST: setting.text().default("127.0.0.1").describe("Address that the HTTP server listens on."),
  HTTP_PORT: setting.port().describe("Port of /healthz, /readyz and /metrics; 0 takes any free one."),
  SOURCES: sources().describe(
    "Databases with an outbox: name=postgres://…, separated by commas. A name is also the end of the slot's name.",
  ),
  EVENT_LOG_URL: setting.url("redis", "rediss").describe("The Redis that holds the event log."),
  MIN_RETENTION_MS: setting
    .durationMs()
    .default(3_600_000)
    .describe(
      "Events younger than this stay in the streams although every group has read them, in milliseconds.",
    ),
});
