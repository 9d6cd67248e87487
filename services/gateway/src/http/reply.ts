import { once } from "node:events";
import { failureBody, problemJson, type Failure } from "../errors/failure.ts";
import type { ClientResponse } from "./client-request.ts";

/** An answer before it is sent. */
export interface Reply {
  readonly status: number;
  /** In lower case; those of every answer are added when it is sent. */
  readonly headers: Readonly<Record<string, string>>;
  readonly setCookies: readonly string[];
  /** Default: application/json. */
  readonly contentType?: string | undefined;
  /** Undefined for none. */
  readonly body: string | Buffer | undefined;
  /** What follows the body, until it ends; never fails. */
  readonly stream?: AsyncIterable<Buffer>;
}

export function failureReply(failure: Failure, requestId: string, asProblem: boolean): Reply {
  return {
    status: failure.httpStatus,
    headers: failure.headers,
    setCookies: [],
    ...(asProblem
      ? { contentType: "application/problem+json", body: JSON.stringify(problemJson(failure, requestId)) }
      : { body: failureBody(failure, requestId) }),
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
  "referrer-policy",
  "no-referrer",
];

export const contentPolicy = "default-src 'none'; frame-ancestors 'none'";

export interface SendOptions {
  readonly requestId: string;
  readonly traceparent: string;
  /** HEAD: everything but the body. */
  readonly withoutBody: boolean;
  /** The connection ends with this answer. */
  readonly closes: boolean;
  readonly strictTransportSecurity: string | undefined;
}

/** Sends an answer. For a stream it resolves when that has ended, or the client has left. */
export function send(
  response: ClientResponse,
  { status, headers, setCookies, body, contentType = "application/json", stream }: Reply,
  options: SendOptions,
): Promise<void> | undefined {
  const lines: string[] = [
    ...alwaysHeaders,
    "x-request-id",
    options.requestId,
    "traceparent",
    options.traceparent,
  ];
  if (headers["content-security-policy"] === undefined) lines.push("content-security-policy", contentPolicy);
  if (options.strictTransportSecurity !== undefined) {
    lines.push("strict-transport-security", options.strictTransportSecurity);
  }
  for (const [name, value] of Object.entries(headers)) lines.push(name, value);
  for (const cookie of setCookies) lines.push("set-cookie", cookie);
  if (options.closes) lines.push("connection", "close");
  if (stream !== undefined && !options.withoutBody) {
    response.writeHead(status, [...lines, "content-type", contentType]);
    return pour(response, body, stream);
  }
  if (body === undefined) {
    response.writeHead(status, lines).end();
    return undefined;
  }
  lines.push("content-type", contentType, "content-length", String(Buffer.byteLength(body)));
  response.writeHead(status, lines);
  if (options.withoutBody) response.end();
  // As text, node:http sends head and body in one write. Every byte is one character of Latin-1, and comes out as it was.
  else if (typeof body === "string") response.end(body);
  else response.end(body.toString("latin1"), "latin1");
  return undefined;
}

/** No faster than the client reads. */
async function pour(
  response: ClientResponse,
  first: string | Buffer | undefined,
  stream: AsyncIterable<Buffer>,
): Promise<void> {
  response.flushHeaders?.();
  if (first !== undefined) response.write(first);
  for await (const chunk of stream) {
    if (response.destroyed) return;
    if (!response.write(chunk)) {
      const left = new AbortController();
      const onClose = (): void => left.abort();
      response.once("close", onClose);
      await once(response, "drain", { signal: left.signal }).catch(() => undefined);
      response.off("close", onClose);
    }
  }
  response.end();
}
