import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Context } from "./context.ts";
import { badHttp, Failure, internal, overloaded } from "./errors/failure.ts";
import { answer, type Exchange } from "./http/answer.ts";
import { refuseSocket } from "./http/refuse-socket.ts";
import { sampleOf } from "./http/access-log.ts";
import { wantsProblem } from "./http/accept.ts";
import { compress } from "./http/compress.ts";
import { failureReply, send, type Reply } from "./http/reply.ts";
import { readHead } from "./http/request-head.ts";
import { requestIdOf, traceparentOf } from "./http/trace.ts";

export interface GatewayServer {
  readonly port: number;
  /** Stops accepting, lets requests in flight finish within `graceMs`, then ends their connections. */
  close(graceMs: number): Promise<void>;
}

/** Above the 60 seconds after which common load balancers drop an idle connection, so that they are the ones to close. */
const keepAliveTimeoutMs = 65_000;
/** Of request line and headers together. */
export const maxHeaderBytes = 16_384;

/** Serves the public API. Rejects when it cannot listen. */
export async function startServer(
  current: () => Context,
  { host, port }: { readonly host: string; readonly port: number },
): Promise<GatewayServer> {
  const life: Life = { isClosing: false, inFlight: 0 };
  const server = createServer(
    {
      maxHeaderSize: maxHeaderBytes,
      headersTimeout: 10_000,
      requestTimeout: 30_000,
      keepAliveTimeout: keepAliveTimeoutMs,
      connectionsCheckingInterval: 2_000,
    },
    (request, response) => void serve(current(), request, response, life),
  );
  server.on("checkExpectation", (request, response) => {
    void serve(
      current(),
      request,
      response,
      { isClosing: true, inFlight: 0 },
      badHttp(417, "EXPECTATION_FAILED", "only 100-continue can be expected"),
    );
  });
  server.on("clientError", refuseSocket);
  await listen(server, host, port);
  return {
    port: (server.address() as AddressInfo).port,
    async close(graceMs) {
      life.isClosing = true;
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeIdleConnections();
      const forced = setTimeout(() => server.closeAllConnections(), graceMs);
      await closed;
      clearTimeout(forced);
    },
  };
}

interface Life {
  isClosing: boolean;
  /** Requests that have no answer yet. */
  inFlight: number;
}

/** Answers, logs and counts one request. Never rejects. */
async function serve(
  context: Context,
  request: IncomingMessage,
  response: ServerResponse,
  life: Life,
  refusal?: Failure,
): Promise<void> {
  const startedMs = performance.now();
  const left = new AbortController();
  response.on("close", () => {
    if (!response.writableFinished) left.abort(new Error("the client left"));
  });
  const read = readHead(request.rawHeaders);
  const exchange: Exchange = {
    ...read,
    method: request.method ?? "GET",
    requestId: requestIdOf(read.head.requestId),
    traceparent: traceparentOf(read.head.traceparent),
    address: context.clientAddress(request.socket.remoteAddress, read.head.forwardedFor),
    signal: left.signal,
    route: undefined,
    identity: undefined,
    headers: {},
  };

  let reply: Reply;
  let failure: Failure | undefined;
  life.inFlight += 1;
  try {
    if (refusal !== undefined) throw refusal;
    if (life.inFlight > context.maxInFlight) throw overloaded();
    reply = await answer(context, request, exchange);
  } catch (error) {
    failure = error instanceof Failure ? error : internal(error);
    reply = failureReply(failure, exchange.requestId, wantsProblem(exchange.head.accept));
  }
  life.inFlight -= 1;
  if (!left.signal.aborted) {
    try {
      reply = { ...reply, headers: { ...exchange.headers, ...reply.headers } };
      if (context.compressFromBytes !== undefined) {
        reply = await compress(reply, exchange.head.acceptEncoding, context.compressFromBytes);
      }
      const sent = send(response, reply, {
        requestId: exchange.requestId,
        traceparent: exchange.traceparent,
        withoutBody: exchange.method === "HEAD",
        closes: life.isClosing,
        strictTransportSecurity: context.strictTransportSecurity,
      });
      if (sent !== undefined) await sent;
    } catch (error) {
      context.log.error({ err: error, requestId: exchange.requestId }, "an answer could not be sent");
      response.destroy();
    }
  }
  record(context, exchange, reply.status, failure, performance.now() - startedMs);
}

/** One line for each request. The route stands for its path, whose query may hold what is nobody's business. */
function record(
  { log, telemetry, accessLog }: Context,
  { method, route = "", requestId, identity }: Exchange,
  status: number,
  failure: Failure | undefined,
  ms: number,
): void {
  telemetry.answered(route, status, ms / 1000);
  // What failed here is always told.
  const sample = status >= 500 ? 1 : sampleOf(accessLog, route, status);
  if (sample < 1 && Math.random() >= sample) return;
  const line = { method, route, status, ms: Math.round(ms * 100) / 100, requestId, userId: identity?.userId };
  if (status >= 500) log.error({ ...line, err: failure?.cause }, "request failed");
  else log.info(sample === 1 ? line : { ...line, sample }, "request");
}

async function listen(server: Server, host: string, port: number): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once("error", reject);
  server.listen(port, host, resolve);
  await promise;
  server.off("error", reject);
}
