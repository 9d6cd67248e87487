import type { RequestHead } from "./request-head.ts";

/** Which pages of other origins may read answers: those of the gateway file's `origins`. */
export interface CorsSettings {
  /** Whether their requests may carry cookies. */
  readonly credentials: boolean;
  /** How long a browser may remember what it was told. */
  readonly maxAgeSeconds: number;
}

/** Headers that tell a page's script what it may read beside the body. */
const exposed = "Consistency-Token, RateLimit, RateLimit-Policy, Retry-After, X-Request-Id";
/** Those that a script may send. */
const allowed =
  "Authorization, Consistency-Token, Content-Type, Idempotency-Key, Request-Timeout, X-Request-Id, Traceparent";

/** Headers of every answer to a listed origin (https://fetch.spec.whatwg.org/#http-cors-protocol). */
export function corsHeaders(
  { origin }: RequestHead,
  origins: readonly string[],
  cors: CorsSettings | undefined,
): Record<string, string> {
  if (cors === undefined) return {};
  // Also for others, or a cache would give them what was meant for one.
  const vary = { vary: "Origin" };
  if (origin === undefined || !origins.includes(origin)) return vary;
  return {
    ...vary,
    "access-control-allow-origin": origin,
    "access-control-expose-headers": exposed,
    ...(cors.credentials ? { "access-control-allow-credentials": "true" } : {}),
  };
}

/** Those of the answer to a preflight for one of the methods. */
export function preflightHeaders(methods: string, cors: CorsSettings): Record<string, string> {
  return {
    "access-control-allow-methods": methods,
    "access-control-allow-headers": allowed,
    "access-control-max-age": String(cors.maxAgeSeconds),
  };
}
