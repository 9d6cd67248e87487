import { z } from "zod";
import { setting } from "@chirrup/platform";
import type { ConsistencySettings } from "./identity/consistency.ts";
import type { CookieSettings } from "./identity/cookies.ts";
import type { OriginSettings } from "./identity/origin.ts";
import type { OpenApiSettings } from "./openapi/document.ts";
import type { AccessLogRule } from "./http/access-log.ts";
import type { CorsSettings } from "./http/cors.ts";

/** The gateway file: what is the same for all gateways of an environment and no secret. */
export interface GatewayFile {
  /** Full name of a service → its address. */
  readonly upstreams: ReadonlyMap<string, string>;
  /** By the name that routes use. "access", if it is there, is the one that carries the access token. */
  readonly cookies: ReadonlyMap<string, CookieSettings>;
  /** How callers keep the consistency tokens that services give them; undefined: they get none. */
  readonly consistency: ConsistencySettings | undefined;
  readonly origins: OriginSettings;
  /** Addresses and CIDR ranges whose X-Forwarded-For is believed. */
  readonly trustedProxies: readonly string[];
  /** Strict-Transport-Security, where TLS ends in front of the gateway; none when absent. */
  readonly strictTransportSecurity: string | undefined;
  /** Undefined: pages of other origins read nothing. */
  readonly cors: CorsSettings | undefined;
  /** Metadata keys that pass between client and services as Grpc-Metadata-* headers. */
  readonly metadata: MetadataLists;
  /** Serves /openapi.json and /docs; undefined: neither. */
  readonly openapi: OpenApiSettings | undefined;
  /** Which answers are logged. */
  readonly accessLog: readonly AccessLogRule[];
  /** The least size of an answer that is compressed; undefined: none is. */
  readonly compressFromBytes: number | undefined;
}

export interface MetadataLists {
  readonly request: ReadonlySet<string>;
  readonly response: ReadonlySet<string>;
}

/** What only the gateway says, and what the transport needs. */
const reservedKey = /^(?:chirrup-|grpc-|:)|^(?:traceparent|tracestate|te|content-type|user-agent)$|-bin$/;

const metadataKey = z
  .string()
  .regex(/^[0-9a-z_.-]+$/, "must be a metadata key")
  .refine((key) => !reservedKey.test(key), "is a key that no client may set");

const cookieSchema = z
  .strictObject({
    name: z.string().regex(/^[A-Za-z0-9_-]+$/, "must be letters, digits, _ and -"),
    path: z.string().regex(/^\/[A-Za-z0-9/_.-]*$/, "must be a path"),
    secure: z.boolean(),
    sameSite: z.enum(["Strict", "Lax"]),
    maxAgeSeconds: z.number().int().min(1).max(34_560_000),
  })
  // https://www.rfc-editor.org/rfc/rfc6265bis#name-cookie-name-prefixes: browsers drop a cookie that breaks these.
  .refine(
    ({ name, secure }) => secure || !/^__(?:secure|host)-/i.test(name),
    "a name with a prefix needs secure: true",
  )
  .refine(({ name, path }) => path === "/" || !/^__host-/i.test(name), "a __Host- cookie needs path: /");

const schema = z.strictObject({
  upstreams: z
    .record(z.string(), setting.address())
    .default({})
    .describe("full name of a service: its `host:port`; one for every service that has a route"),
  cookies: z
    .record(z.string(), cookieSchema)
    .default({})
    .describe(
      "by the name that protos use: `name`, `path`, `secure`, `sameSite` (`Strict` or `Lax`), `maxAgeSeconds`. `access` carries the access token",
    ),
  consistency: cookieSchema
    .optional()
    .describe(
      "a cookie's settings: callers keep the consistency tokens of services, each in one named `name` and the token's name",
    ),
  origins: z
    .array(
      z.string().refine((origin) => URL.parse(origin)?.origin === origin, "must be an origin: https://host"),
    )
    .default([])
    .describe("origins whose pages may change state"),
  trustHostHeader: z
    .boolean()
    .default(false)
    .describe("whether the request's own host is such an origin: for a laptop"),
  // A variable holds several with commas between.
  trustedProxies: z
    .array(z.string())
    .transform((ranges) => ranges.flatMap((range) => range.split(",").map((part) => part.trim())))
    .default([])
    .describe("addresses and ranges whose `X-Forwarded-For` is believed"),
  strictTransportSecurity: z
    .string()
    .regex(/^max-age=[0-9]+[A-Za-z; ]*$/)
    .optional()
    .describe("the header of that name"),
  cors: z
    .strictObject({
      credentials: z.boolean().default(false),
      maxAgeSeconds: z.number().int().min(0).max(86_400).default(600),
    })
    .optional()
    .describe("pages of `origins` may read answers: `credentials` (`false`), `maxAgeSeconds` (`600`)"),
  metadata: z
    .strictObject({
      request: z.array(metadataKey).default([]),
      response: z.array(metadataKey).default([]),
    })
    .default({ request: [], response: [] })
    .describe("keys that pass as `Grpc-Metadata-*`: `request`, `response`"),
  openapi: z
    .strictObject({
      title: z.string(),
      version: z.string(),
      description: z.string().optional(),
      license: z.string().optional(),
    })
    .optional()
    .describe("`title`, `version`, `description`, `license`: serves `/openapi.json` and `/docs`"),
  compressFromBytes: z
    .number()
    .int()
    .min(1)
    .optional()
    .describe("the least size of an answer that is compressed"),
  accessLog: z
    .array(
      z.strictObject({
        routes: z.array(z.string()).min(1).optional(),
        statuses: z.array(z.number().int().min(1).max(5)).min(1).optional(),
        sample: z.number().min(0).max(1),
      }),
    )
    .default([])
    .describe(
      "which answers get a line in the log: `routes`, `statuses` (2 for 2xx) and `sample`, 0 to 1, of the first that fits, else all; 5xx always",
    ),
});

/** What a gateway file may hold, for the README's table. */
export const gatewayFileSchema: z.ZodObject = schema;

/**
 * Checks the content of a gateway file. "${NAME}" in a text stands for an environment variable. Throws an Error that
 * names each fault.
 */
export function parseGatewayFile(
  content: unknown,
  env: Readonly<Record<string, string | undefined>>,
): GatewayFile {
  const result = schema.safeParse(substitute(content, env));
  if (!result.success) {
    throw new Error(
      result.error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`).join("; "),
    );
  }
  const { upstreams, cookies, origins, trustHostHeader, metadata } = result.data;
  const names = Object.values(cookies).map(({ name }) => name);
  if (new Set(names).size < names.length) throw new Error("cookies: two have one name");
  return {
    upstreams: new Map(Object.entries(upstreams)),
    cookies: new Map(Object.entries(cookies)),
    consistency: result.data.consistency,
    origins: { origins, trustHostHeader },
    trustedProxies: result.data.trustedProxies,
    strictTransportSecurity: result.data.strictTransportSecurity,
    cors: result.data.cors,
    metadata: { request: new Set(metadata.request), response: new Set(metadata.response) },
    openapi: result.data.openapi,
    accessLog: result.data.accessLog,
    compressFromBytes: result.data.compressFromBytes,
  };
}

/** In values only and after parsing, so that a variable cannot change the file's structure. */
function substitute(value: unknown, env: Readonly<Record<string, string | undefined>>): unknown {
  if (typeof value === "string") {
    return value.replaceAll(/\$\{([A-Za-z_][A-Za-z0-9_]*)\}/g, (_, name: string) => {
      const text = env[name];
      if (text === undefined || text === "") throw new Error(`\${${name}} is not set`);
      return text;
    });
  }
  if (Array.isArray(value)) return value.map((item) => substitute(item, env));
  if (value !== null && typeof value === "object") {
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, substitute(item, env)]));
  }
  return value;
}
