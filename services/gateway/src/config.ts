import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import type { FileRegistry } from "@bufbuild/protobuf";
import { parse } from "yaml";
import { z } from "zod";
import {
  ConfigError,
  peerTlsSetting,
  processSettings,
  setting,
  type ProcessSettings,
} from "@chirrup/platform";
import { parseGatewayFile, type GatewayFile } from "./gateway-file.ts";
import { parseRules, type Rule } from "./limits/rules.ts";
import { parseDescriptors } from "./routing/descriptors.ts";

type TextSetting = z.ZodType<string, string>;
type NumberSetting = z.ZodType<number, string>;

type GatewaySettings = ProcessSettings & {
  readonly HOST: z.ZodDefault<TextSetting>;
  readonly HTTP_PORT: NumberSetting;
  readonly PUBLIC_TLS_DIR: z.ZodOptional<TextSetting>;
  readonly HTTP2_STREAMS: z.ZodDefault<NumberSetting>;
  readonly ADMIN_PORT: NumberSetting;
  readonly DESCRIPTORS: TextSetting;
  readonly GATEWAY_CONFIG: TextSetting;
  readonly RATE_RULES: TextSetting;
  readonly REDIS_URL: TextSetting;
  readonly REDIS_DEADLINE_MS: z.ZodDefault<NumberSetting>;
  readonly GATEWAYS: z.ZodDefault<NumberSetting>;
  readonly PEER_SECRET: TextSetting;
  readonly PEER_TLS_DIR: z.ZodOptional<TextSetting>;
  readonly USER_SERVICE: TextSetting;
  readonly JWKS_URL: TextSetting;
  readonly TOKEN_ISSUER: TextSetting;
  readonly TOKEN_AUDIENCE: TextSetting;
  readonly TOKEN_TYPE: z.ZodDefault<TextSetting>;
  readonly DEADLINE_MS: z.ZodDefault<NumberSetting>;
  readonly MAX_BODY_BYTES: z.ZodDefault<NumberSetting>;
  readonly MAX_IN_FLIGHT: z.ZodDefault<NumberSetting>;
  readonly WATCH_MS: z.ZodDefault<NumberSetting>;
};

/** The settings of the gateway. */
export const configSchema: z.ZodObject<GatewaySettings> = z.object({
  ...processSettings,
  HOST: setting.text().default("127.0.0.1").describe("Address that both servers listen on."),
  HTTP_PORT: setting.port().describe("Public port; 0 takes any free one."),
  PUBLIC_TLS_DIR: setting
    .text()
    .optional()
    .describe(
      "Folder of tls.crt and tls.key: the public port speaks TLS. Read again when they change. Without it, TLS ends in front of the gateway.",
    ),
  HTTP2_STREAMS: z
    .string()
    .regex(/^[0-9]{1,4}$/, "must be 0 to 9999")
    .transform(Number)
    .default(100)
    .describe("How many requests of one HTTP/2 connection may be under way; 0 serves HTTP/1.1 only."),
  ADMIN_PORT: setting.port().describe("Port of /healthz, /readyz and /metrics; 0 takes any free one."),
  DESCRIPTORS: setting.text().describe("Path of the descriptor set that the routes are made from."),
  GATEWAY_CONFIG: setting.text().describe("Path of the gateway file: upstreams, cookies, origins, proxies."),
  RATE_RULES: setting.text().describe("Path of the rate rules."),
  REDIS_URL: setting.redis().describe("Where the token buckets are."),
  REDIS_DEADLINE_MS: setting
    .durationMs()
    .default(20)
    .describe(
      "How long a request waits for its token buckets before a rule's fail mode decides, in milliseconds.",
    ),
  GATEWAYS: setting
    .positiveInt()
    .default(1)
    .describe("How many gateways share the load: the divisor of a limit while Redis is away."),
  PEER_SECRET: setting.secret().describe("Proves the gateway to the services; at least 32 characters."),
  PEER_TLS_DIR: peerTlsSetting(),
  USER_SERVICE: setting.address().describe("The service that knows which sessions were revoked."),
  JWKS_URL: setting
    .url("http", "https")
    .describe("The token issuer's key set; by https with PEER_TLS_DIR, a peer's."),
  TOKEN_ISSUER: setting.text().describe("`iss` of access tokens."),
  TOKEN_AUDIENCE: setting.text().describe("`aud` of access tokens."),
  TOKEN_TYPE: setting.text().default("JWT").describe("`typ` of access tokens."),
  DEADLINE_MS: setting
    .durationMs()
    .default(5_000)
    .describe("How long a call may take when its route says nothing, in milliseconds."),
  MAX_BODY_BYTES: setting.positiveInt().default(1_048_576).describe("The largest request body, in bytes."),
  MAX_IN_FLIGHT: setting
    .positiveInt()
    .default(2_000)
    .describe("How many requests may be under way at once; more get 503 before anything is done for them."),
  WATCH_MS: setting
    .durationMs()
    .default(1_000)
    .describe(
      "How often the three files are looked at for a change, in milliseconds; SIGHUP reads them at once.",
    ),
});

export type Config = z.infer<typeof configSchema>;

/** What the three files say. */
export interface Files {
  /** Of their content: the same for the same bytes. */
  readonly version: string;
  readonly gateway: GatewayFile;
  readonly rules: readonly Rule[];
  readonly descriptors: FileRegistry;
}

/** Without a gateway file all its keys have their defaults, and without rate rules there is none. */
export interface FilePaths {
  readonly DESCRIPTORS: string;
  readonly GATEWAY_CONFIG?: string | undefined;
  readonly RATE_RULES?: string | undefined;
}

/** Reads the files that the settings point to. Throws ConfigError that names the setting of a faulty one. */
export async function loadFiles(
  paths: FilePaths,
  // The gateway file names variables that no schema can know beforehand.
  // oxlint-disable-next-line node/no-process-env
  env: Readonly<Record<string, string | undefined>> = process.env,
): Promise<Files> {
  const hash = createHash("sha256");
  const load = async <T>(name: keyof FilePaths, absent: string, read: (bytes: Buffer) => T): Promise<T> => {
    const path = paths[name];
    try {
      const bytes = path === undefined ? Buffer.from(absent) : await readFile(path);
      hash.update(bytes).update("\0");
      return read(bytes);
    } catch (error) {
      const fault = error instanceof Error ? error.message : String(error);
      throw new ConfigError([{ name, fault: `(${path}): ${fault}` }]);
    }
  };
  // One after the other, for the hash.
  const gateway = await load("GATEWAY_CONFIG", "{}", (bytes) => parseGatewayFile(parse(String(bytes)), env));
  const rules = await load("RATE_RULES", "rules: []", (bytes) => parseRules(parse(String(bytes))));
  const descriptors = await load("DESCRIPTORS", "", parseDescriptors);
  return { version: hash.digest("hex").slice(0, 12), gateway, rules, descriptors };
}
