import { Canceller } from "@chirrup/grpc";
import type { Context } from "./context.ts";
import { Failure, internal, overloaded } from "./errors/failure.ts";
import { answer, type Exchange } from "./http/answer.ts";
import { sampleOf } from "./http/access-log.ts";
import { wantsProblem } from "./http/accept.ts";
import { bounds } from "./http/bounds.ts";
import type { ClientRequest, ClientResponse } from "./http/client-request.ts";
import { compress } from "./http/compress.ts";
import { openPublicPort, type PublicPort, type PublicPortOptions } from "./http/public-port.ts";
import { failureReply, send, type Reply } from "./http/reply.ts";
import { readHead } from "./http/request-head.ts";
import { endWhenStalled } from "./http/slow-reader.ts";
import { requestIdOf, traceparentOf } from "./http/trace.ts";

/** Serves the public API. Rejects when it cannot listen. */
export async function startServer(
  current: () => Context,
  options: Omit<PublicPortOptions, "serve" | "bounds">,
): Promise<PublicPort> {
  const life: Life = { isClosing: false, inFlight: 0 };
  const { port, close } = await openPublicPort({
    ...options,
    bounds,
    serve: (request, response, refusal) => void serve(current(), request, response, life, refusal),
  });
  return {
    port,
    close(graceMs) {
      life.isClosing = true;
      return close(graceMs);
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
  request: ClientRequest,
  response: ClientResponse,
  life: Life,
  refusal?: Failure,
): Promise<void> {
  const startedMs = performance.now();
  const left = new Canceller();
  response.on("close", () => {
    if (!response.writableEnded) left.abort(new Error("the client left"));
  });
  const read = readHead(request.rawHeaders);
  const exchange: Exchange = {
    ...read,
    method: request.method ?? "GET",
    requestId: requestIdOf(read.head.requestId),
    traceparent: traceparentOf(read.head.traceparent),
    address: context.clientAddress(request.socket.remoteAddress, read.head.forwardedFor),
    signal: left,
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
  if (!left.aborted) {
    try {
      reply = { ...reply, headers: { ...exchange.headers, ...reply.headers } };
      if (context.compressFromBytes !== undefined) {
        reply = await compress(reply, exchange.head.acceptEncoding, context.compressFromBytes);
      }
      const sent = send(response, reply, {
        requestId: exchange.requestId,
        traceparent: exchange.traceparent,
        withoutBody: exchange.method === "HEAD",
        // HTTP/2 says it for the connection as a whole.
        closes: life.isClosing && request.httpVersionMajor === 1,
        strictTransportSecurity: context.strictTransportSecurity,
      });
      if (sent !== undefined || response.writableLength > 0) endWhenStalled(response, bounds);
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
