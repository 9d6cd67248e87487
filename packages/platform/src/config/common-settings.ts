import { z } from "zod";

import { setting } from "./setting.ts";

type LevelSetting = z.ZodDefault<ReturnType<typeof setting.logLevel>>;
type NumberSetting = z.ZodType<number, string>;
type TextSetting = z.ZodType<string, string>;

/** What `runService` itself needs. */
export type ProcessSettings = {
  readonly LOG_LEVEL: LevelSetting;
  readonly LOG_FORMAT: z.ZodDefault<z.ZodEnum<{ json: "json"; pretty: "pretty" }>>;
  readonly SHUTDOWN_GRACE_MS: z.ZodDefault<NumberSetting>;
};

/** What every service with a gRPC server needs. */
export type CommonSettings = ProcessSettings & {
  readonly HOST: z.ZodDefault<TextSetting>;
  readonly GRPC_PORT: NumberSetting;
  readonly HTTP_PORT: NumberSetting;
  readonly PEER_SECRET: TextSetting;
  readonly PEER_TLS_DIR: z.ZodOptional<TextSetting>;
};

/** To be spread into the schema of any program: `z.object({ ...processSettings, … })`. */
export const processSettings: ProcessSettings = {
  LOG_LEVEL: setting
    .logLevel()
    .default("info")
    .describe("Least level that is logged: fatal, error, warn, info, debug, trace, silent."),
  LOG_FORMAT: z
    .enum(["json", "pretty"], "must be json or pretty")
    .default("json")
    .describe("json for machines, pretty for a terminal."),
  SHUTDOWN_GRACE_MS: setting
    .durationMs()
    .default(10_000)
    .describe("How long calls in flight may take after SIGTERM, in milliseconds."),
};

/** For any program that talks to the services. */
export function peerTlsSetting(): z.ZodOptional<TextSetting> {
  return setting
    .text()
    .optional()
    .describe("Folder of tls.crt, tls.key, ca.crt: mutual TLS between the services.");
}

/** To be spread into the schema of a service: `z.object({ ...commonSettings, … })`. */
export const commonSettings: CommonSettings = {
  ...processSettings,
  HOST: setting.text().default("127.0.0.1").describe("Address that the servers listen on."),
  GRPC_PORT: setting.port().describe("Port of the gRPC server; 0 takes any free one."),
  HTTP_PORT: setting.port().describe("Port of /healthz, /readyz and /metrics; 0 takes any free one."),
  PEER_SECRET: setting
    .secret()
    .describe("Proves one service to another; the same for all, at least 32 characters."),
  PEER_TLS_DIR: peerTlsSetting(),
};
