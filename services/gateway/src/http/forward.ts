import { GrpcError, Metadata, Status, type Channel, type UnaryResponse } from "@chirrup/grpc";
import { metadataKeys } from "@chirrup/platform";
import type { Context } from "../context.ts";
import { clientGone, internal } from "../errors/failure.ts";
import { fromUpstream } from "../errors/from-upstream.ts";
import { carryTokens, handTokens, presentedTokens } from "../identity/consistency.ts";
import { clearedCookies, takeCookies } from "../identity/field-cookies.ts";
import { isBrowser } from "../identity/origin.ts";
import type { Route } from "../routing/route-table.ts";
import { isWithoutBody, statusKey, type Success } from "../transcoding/success.ts";
import { pause } from "../pause.ts";
import { checkAcceptsJson } from "./accept.ts";
import type { Exchange } from "./answer.ts";
import { forwardStream } from "./forward-stream.ts";
import type { Reply } from "./reply.ts";
import { returnedMetadata } from "./returned-metadata.ts";
import { userAgentOf } from "./request-head.ts";

/** A call that is ready to be made. */
export interface Outgoing {
  readonly channel: Channel;
  readonly message: Buffer;
  readonly timeoutMs: number | undefined;
  readonly metadata: Metadata;
}

/** Calls the route's rpc and makes its response an answer. Throws a Failure when the call fails. */
export async function forward(
  context: Context,
  route: Route,
  message: Buffer,
  exchange: Exchange,
  call: { readonly idempotencyKey: string | undefined; readonly timeoutMs: number | undefined },
): Promise<Reply> {
  const { rpc, needs } = route;
  const channel = context.upstreams.get(rpc.parent.typeName);
  if (channel === undefined) throw internal(new Error(`${rpc.parent.typeName} has no upstream`));
  const tokens = presentedTokens(exchange.head, context.consistency);
  const metadata = metadataOf(context, exchange, call.idempotencyKey);
  carryTokens(tokens, metadata);
  const outgoing: Outgoing = {
    channel,
    message,
    timeoutMs: shorter(needs.deadlineMs, call.timeoutMs),
    metadata,
  };
  if (route.isStream) return forwardStream(context, route, outgoing, exchange);
  if (!route.response.isRaw) checkAcceptsJson(exchange.head.accept);

  const answered = await unary(context, route, outgoing, exchange);
  let response = answered.message;
  const setCookies = clearedCookies(needs, context.cookies);
  if (needs.setsCookies.length > 0) {
    // A browser keeps its tokens in cookies that no script reads; so none may stand in a body, where one could.
    const taken = takeCookies(rpc.output, response, needs, context.cookies, isBrowser(exchange.head));
    setCookies.push(...taken.setCookies);
    response = taken.response;
  }
  let headers = returnedMetadata(context, () => answered.headers);
  // A GET writes nothing, so there is no token to be looked for; metadata that nobody looks at is not decoded.
  if (context.consistency !== undefined && route.httpMethod !== "GET") {
    const handed = handTokens(answered.headers, tokens, context.consistency, exchange.head);
    setCookies.push(...handed.setCookies);
    if (handed.header !== undefined) headers = { ...headers, "consistency-token": handed.header };
  }
  const reply = { status: 200, headers, setCookies, ...route.response.write(response) };
  return needs.success === undefined ? reply : succeed(context, needs.success, answered, reply);
}

/** The answer by what the route says of its successes. */
function succeed({ log }: Context, success: Success, answered: UnaryResponse, reply: Reply): Reply {
  const { status, location, refused } = success.of(answered.message, answered.headers.get(statusKey));
  if (refused !== undefined) log.warn({ status: refused }, "a service named a status that is none");
  return {
    ...reply,
    status,
    headers: location === undefined ? reply.headers : { ...reply.headers, location },
    ...(isWithoutBody(status) ? { body: undefined } : {}),
  };
}

async function unary(
  { telemetry, retries }: Context,
  { rpc, rpcPath, isRepeatable }: Route,
  { channel, message, timeoutMs, metadata }: Outgoing,
  { signal }: Exchange,
): Promise<UnaryResponse> {
  const service = rpc.parent.typeName;
  const startedMs = performance.now();
  retries.called(service);
  try {
    const timeout = timeoutMs === undefined ? {} : { timeoutMs };
    return await channel.unary(rpcPath, message, { ...timeout, signal, metadata });
  } catch (error) {
    if (signal.aborted) throw clientGone(error);
    const leftMs = (timeoutMs ?? Infinity) - (performance.now() - startedMs) - longestRetryPauseMs;
    if (!isRepeatable || !isLost(error) || leftMs <= 0 || !retries.take(service)) throw fromUpstream(error);
    telemetry.retried(service);
    // Not all of a lost connection's calls at once.
    await pause(Math.random() * longestRetryPauseMs, signal);
    const timeout = leftMs === Infinity ? {} : { timeoutMs: leftMs };
    try {
      return await channel.unary(rpcPath, message, { ...timeout, signal, metadata });
    } catch (again) {
      throw signal.aborted ? clientGone(again) : fromUpstream(again);
    }
  } finally {
    telemetry.upstreamAnswered(service, (performance.now() - startedMs) / 1_000);
  }
}

const longestRetryPauseMs = 50;

/** Whether the call got no answer from the service, which would have said why. */
function isLost(error: unknown): boolean {
  return error instanceof GrpcError && error.code === Status.UNAVAILABLE && error.details.length === 0;
}

function shorter(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined ? (a ?? b) : Math.min(a, b);
}

/** All that a service learns about a request beside its message. */
function metadataOf(context: Context, exchange: Exchange, idempotencyKey: string | undefined): Metadata {
  const { identity, head } = exchange;
  const metadata = Metadata.from({
    [metadataKeys.requestId]: exchange.requestId,
    [metadataKeys.traceparent]: exchange.traceparent,
    [metadataKeys.clientAddress]: exchange.address,
    [metadataKeys.userAgent]: userAgentOf(head),
  });
  if (identity !== undefined) {
    metadata.set(metadataKeys.userId, identity.userId);
    metadata.set(metadataKeys.sessionId, identity.sessionId);
  }
  if (idempotencyKey !== undefined) metadata.set(metadataKeys.idempotencyKey, idempotencyKey);
  for (const [key, value] of exchange.metadata) {
    if (context.metadata.request.has(key) && printable.test(value)) metadata.append(key, value);
  }
  return metadata;
}

const printable = /^[\x20-\x7e]*$/;
