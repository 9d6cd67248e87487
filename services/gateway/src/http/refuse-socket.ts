import type { Duplex } from "node:stream";
import { badHttp, failureBody, headersTooLarge, requestTimeout, type Failure } from "../errors/failure.ts";
import { maxUrlLength } from "./answer.ts";
import { alwaysHeaders, contentPolicy } from "./reply.ts";
import { requestIdOf } from "./trace.ts";

interface ParseError extends Error {
  readonly code?: string;
  readonly rawPacket?: Buffer;
}

const statusTexts: Readonly<Record<number, string>> = {
  400: "Bad Request",
  408: "Request Timeout",
  414: "URI Too Long",
  431: "Request Header Fields Too Large",
};

/** Answers what is no HTTP request, in the form of all other errors, and ends the connection. */
export function refuseSocket(error: ParseError, socket: Duplex): void {
  // An answer that has begun cannot be followed by another.
  const { _httpMessage: current } = socket as { _httpMessage?: { headersSent: boolean } };
  // What fails below HTTP, as TLS does, can be told nothing by HTTP.
  const isHttp = error.code?.startsWith("HPE_") === true || error.code?.startsWith("ERR_HTTP") === true;
  if (!isHttp || !socket.writable || current?.headersSent === true) {
    socket.destroy(error);
    return;
  }
  const failure = failureOf(error);
  const body = failureBody(failure, requestIdOf(undefined));
  const lines = [
    `HTTP/1.1 ${failure.httpStatus} ${statusTexts[failure.httpStatus] ?? ""}`,
    "connection: close",
  ];
  for (let i = 0; i + 1 < alwaysHeaders.length; i += 2)
    lines.push(`${alwaysHeaders[i]}: ${alwaysHeaders[i + 1]}`);
  lines.push(
    `content-security-policy: ${contentPolicy}`,
    "content-type: application/json",
    `content-length: ${Buffer.byteLength(body)}`,
    "",
    body,
  );
  socket.end(lines.join("\r\n"));
}

function failureOf({ code, rawPacket }: ParseError): Failure {
  switch (code) {
    case "HPE_HEADER_OVERFLOW":
      return isLongTarget(rawPacket)
        ? badHttp(414, "URI_TOO_LONG", `the URL must not be longer than ${maxUrlLength} characters`)
        : headersTooLarge();
    case "ERR_HTTP_REQUEST_TIMEOUT":
      return requestTimeout();
    default:
      return badHttp(400, "MALFORMED_REQUEST", "this is not an HTTP/1.1 request");
  }
}

function isLongTarget(packet: Buffer | undefined): boolean {
  const lineEnd = packet?.indexOf("\r\n") ?? 0;
  return packet !== undefined && (lineEnd === -1 ? packet.length : lineEnd) > maxUrlLength;
}
