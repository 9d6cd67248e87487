import {
  constants,
  createServer,
  Http2ServerRequest,
  type Http2ServerResponse,
  type Http2Session,
  type IncomingHttpHeaders,
  type ServerHttp2Stream,
} from "node:http2";
import type { Socket } from "node:net";
import type { ReadableOptions } from "node:stream";
import { headersTooLarge, requestTimeout, unexpected, type Failure } from "../errors/failure.ts";
import { maxHeaderBytes, type Bounds } from "./bounds.ts";
import type { ClientRequest, ClientResponse } from "./client-request.ts";

/** Answers one request; with `refusal`, by that. */
export type Serve = (request: ClientRequest, response: ClientResponse, refusal?: Failure) => void;

/** HTTP/2 on connections that something else has accepted. */
export interface Http2 {
  /** Takes over a connection that begins with HTTP/2's preface. */
  serve(socket: Socket): void;
  /**
   * Lets every connection end when its requests are answered. Clients are told to send no more; what they sent before
   * they could know is answered as well, or with TLS refused as not taken. What is left after `graceMs` is cut off.
   */
  drain(graceMs: number): void;
}

/**
 * How often a client may take its requests back at once, and for each second after. Beyond it the connection ends:
 * a request that is sent and taken back costs the client nothing (CVE-2023-44487).
 */
const resets = { streamResetBurst: 200, streamResetRate: 40 };
/** Frames that break the protocol, and streams beyond the limit, until the connection ends. */
const maxFaults = 50;
/** Enough for any browser; a header list is bounded in bytes as well. */
const maxHeaderFields = 100;

/**
 * Serves HTTP/2 by the same path as HTTP/1.1: a request is read, limited and answered as node:http's. Of one connection
 * at most `maxStreams` requests are under way.
 */
export function createHttp2(options: {
  readonly maxStreams: number;
  readonly bounds: Bounds;
  readonly serve: Serve;
}): Http2 {
  const { maxStreams, bounds, serve } = options;
  const sessions = new Map<Http2Session, Use>();
  const server = createServer({
    ...resets,
    Http2ServerRequest: Request,
    maxSessionInvalidFrames: maxFaults,
    maxSessionRejectedStreams: maxFaults,
    maxHeaderListPairs: maxHeaderFields,
    settings: {
      enablePush: false,
      maxConcurrentStreams: maxStreams,
      // Twice what is served, so that who sends a little too much is told so in place of cut off.
      maxHeaderListSize: 2 * maxHeaderBytes,
    },
  });

  const take = (
    request: Request,
    response: Http2ServerResponse<Request>,
    refusal = request.refusal,
  ): void => {
    const { stream } = request;
    const use = stream.session && sessions.get(stream.session);
    if (use === undefined) return void stream.destroy();
    use.hasAsked = true;
    use.streams += 1;
    stream.once("close", () => {
      use.streams -= 1;
      use.sinceMs = performance.now();
    });
    // Its types promise what it lacks.
    Object.defineProperty(response, "destroyed", { get: () => stream.destroyed });
    if (!stream.endAfterHeaders) boundBody(request, bounds.requestMs);
    serve(request, response, refusal);
  };
  server.on("request", take);
  server.on("checkExpectation", (request, response) => take(request, response, unexpected()));
  server.on("connect", (request, response) => take(request, response));

  const sweep = setInterval(() => endIdle(sessions, bounds), bounds.sweepMs).unref();
  return {
    serve(socket) {
      const keep = (session: Http2Session): void => {
        sessions.set(session, { socket, hasAsked: false, streams: 0, sinceMs: performance.now() });
        session.on("close", () => sessions.delete(session));
      };
      // The event of this very connection comes, if at all, while it is handed over.
      server.once("session", keep);
      server.emit("connection", socket);
      server.off("session", keep);
    },
    drain(graceMs) {
      clearInterval(sweep);
      for (const [session, { socket }] of sessions) {
        // TLS takes one writer only. Its clients learn by the GOAWAY of close() which requests were not taken.
        const isNoticed = !("encrypted" in socket);
        if (isNoticed) socket.write(shutdownNotice);
        setTimeout(() => session.close(), isNoticed ? Math.min(bounds.noticeMs, graceMs / 2) : 0);
        const forced = setTimeout(() => session.destroy(), graceMs);
        session.once("close", () => clearTimeout(forced));
      }
    },
  };
}

/** What a connection is used for. */
interface Use {
  readonly socket: Socket;
  hasAsked: boolean;
  /** Requests under way. */
  streams: number;
  /** When the last of them ended. */
  sinceMs: number;
}

/**
 * A GOAWAY of the highest number (RFC 9113 section 6.8): no more requests, but those on their way are still taken. *Why in
 * bytes:* after its own goaway() node:http2 passes over every new request, whatever the number. It writes whole frames,
 * so this one falls between two.
 */
const shutdownNotice = Buffer.from("0000080700000000007fffffff00000000", "hex");

/** Frames that open no stream, such as pings and headers without an end, keep no connection. */
function endIdle(sessions: ReadonlyMap<Http2Session, Use>, { headMs, idleMs }: Bounds): void {
  const nowMs = performance.now();
  for (const [session, { hasAsked, streams, sinceMs }] of sessions) {
    const timeoutMs = hasAsked ? idleMs : headMs;
    if (streams > 0 || nowMs - sinceMs < timeoutMs) continue;
    // Said once; who goes on all the same is cut off.
    if (session.closed || !hasAsked) session.destroy();
    else session.close();
  }
}

/** A body has its time, and what is left of it when the request has been answered is not read. */
function boundBody(request: Request, requestMs: number): void {
  const { stream } = request;
  // It may fail while nobody reads it.
  request.on("error", () => undefined);
  const late = setTimeout(() => request.destroy(requestTimeout()), requestMs);
  request.once("end", () => clearTimeout(late));
  stream.once("close", () => clearTimeout(late));
  stream.once("finish", () => {
    // RFC 9113 section 8.1: an answer that does not wait for the rest of the body.
    if (!request.readableEnded) stream.close(constants.NGHTTP2_NO_ERROR);
  });
}

/** A request whose head is as node:http gives it. */
class Request extends Http2ServerRequest {
  readonly refusal: Failure | undefined;

  constructor(
    stream: ServerHttp2Stream,
    headers: IncomingHttpHeaders,
    options: ReadableOptions,
    rawHeaders: readonly string[],
  ) {
    const lines = inHttp1Form(rawHeaders, stream.endAfterHeaders);
    super(stream, headers, options, lines);
    // As HTTP/1.1's parser counts: names, values, and four characters between lines.
    const length = lines.reduce((sum, text) => sum + text.length + 2, 0);
    this.refusal = length > maxHeaderBytes ? headersTooLarge() : undefined;
  }
}

/**
 * `:authority` is Host, and a body whose length is not declared is chunked, which no header can say in HTTP/2. Other
 * pseudo-headers are no headers.
 */
function inHttp1Form(rawHeaders: readonly string[], isWithoutBody: boolean): string[] {
  const lines: string[] = [];
  let authority: string | undefined;
  let hasLength = false;
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] ?? "";
    const value = rawHeaders[i + 1] ?? "";
    if (name === ":authority") authority = value;
    if (name.startsWith(":") || (name === "host" && value === authority)) continue;
    if (name === "content-length") hasLength = true;
    lines.push(name, value);
  }
  if (authority !== undefined) lines.push("host", authority);
  if (!isWithoutBody && !hasLength) lines.push("transfer-encoding", "chunked");
  return lines;
}
