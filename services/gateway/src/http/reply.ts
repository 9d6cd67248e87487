import type { ServerResponse } from "node:http";
import { failureBody, type Failure } from "../errors/failure.ts";

/** An answer before it is sent. */
export interface Reply {
  readonly status: number;
  /** In lower case; those of every answer are added when it is sent. */
  readonly headers: Readonly<Record<string, string>>;
  readonly setCookies: readonly string[];
  /** JSON; undefined for none. */
  readonly body: string | Buffer | undefined;
}

export function failureReply(failure: Failure, requestId: string): Reply {
  return {
    status: failure.httpStatus,
    headers: failure.headers,
    setCookies: [],
    body: failureBody(failure, requestId),
  };
}

/**
 * Headers of every answer. It is JSON for programs: no cache keeps it (it may be one user's), and no browser takes it for a
 * document, a script or a frame.
 */
export const alwaysHeaders: readonly string[] = [
  "cache-control",
  "no-store",
  "x-content-type-options",
  "nosniff",
  "content-security-policy",
  "default-src 'none'; frame-ancestors 'none'",
  "referrer-policy",
  "no-referrer",
];

export interface SendOptions {
  readonly requestId: string;
  readonly traceparent: string;
  /** HEAD: everything but the body. */
  readonly withoutBody: boolean;
  /** The connection ends with this answer. */
  readonly closes: boolean;
  readonly strictTransportSecurity: string | undefined;
}

export function send(
  response: ServerResponse,
  { status, headers, setCookies, body }: Reply,
  options: SendOptions,
): void {
  const lines: string[] = [
    ...alwaysHeaders,
    "x-request-id",
    options.requestId,
    "traceparent",
    options.traceparent,
  ];
  if (options.strictTransportSecurity !== undefined) {
    lines.push("strict-transport-security", options.strictTransportSecurity);
  }
  for (const [name, value] of Object.entries(headers)) lines.push(name, value);
  for (const cookie of setCookies) lines.push("set-cookie", cookie);
  if (options.closes) lines.push("connection", "close");
  if (body === undefined) {
    response.writeHead(status, lines).end();
    return;
  }
  lines.push("content-type", "application/json", "content-length", String(Buffer.byteLength(body)));
  response.writeHead(status, lines);
  if (options.withoutBody) response.end();
  else response.end(body);
}
