import { Metadata } from "@chirrup/grpc";
import { metadataKeys } from "@chirrup/platform";
import type { Context } from "../context.ts";
import { clientGone, internal } from "../errors/failure.ts";
import { fromUpstream } from "../errors/from-upstream.ts";
import { clearedCookies, takeCookies } from "../identity/field-cookies.ts";
import { isBrowser } from "../identity/origin.ts";
import type { Route } from "../routing/route-table.ts";
import type { Exchange } from "./answer.ts";
import type { Reply } from "./reply.ts";
import { userAgentOf } from "./request-head.ts";

/** Calls the route's rpc and makes its response an answer. Throws a Failure when the call fails. */
export async function forward(
  context: Context,
  route: Route,
  message: Buffer,
  exchange: Exchange,
  idempotencyKey: string | undefined,
): Promise<Reply> {
  const { rpc, rpcPath, needs } = route;
  const channel = context.upstreams.get(rpc.parent.typeName);
  if (channel === undefined) throw internal(new Error(`${rpc.parent.typeName} has no upstream`));

  let response: Uint8Array;
  try {
    ({ message: response } = await channel.unary(rpcPath, message, {
      timeoutMs: needs.deadlineMs,
      signal: exchange.signal,
      metadata: metadataOf(exchange, idempotencyKey),
    }));
  } catch (error) {
    throw exchange.signal.aborted ? clientGone(error) : fromUpstream(error);
  }

  const setCookies = clearedCookies(needs, context.cookies);
  if (needs.setsCookies.length > 0) {
    // A browser keeps its tokens in cookies that no script reads; so none may stand in a body, where one could.
    const taken = takeCookies(rpc.output, response, needs, context.cookies, isBrowser(exchange.head));
    setCookies.push(...taken.setCookies);
    response = taken.response;
  }
  return { status: 200, headers: {}, setCookies, body: route.writeResponse(response) };
}

/** All that a service learns about a request beside its message. */
function metadataOf(exchange: Exchange, idempotencyKey: string | undefined): Metadata {
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
  return metadata;
}
