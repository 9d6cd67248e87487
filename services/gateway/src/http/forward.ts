import { toBinary, type Message } from "@bufbuild/protobuf";
import { Metadata } from "@chirrup/grpc";
import { metadataKeys } from "@chirrup/platform";
import type { Context } from "../context.ts";
import { clientGone, internal } from "../errors/failure.ts";
import { fromUpstream } from "../errors/from-upstream.ts";
import { cookiesOf } from "../identity/field-cookies.ts";
import { isBrowser } from "../identity/origin.ts";
import type { Route } from "../routing/route-table.ts";
import type { Exchange } from "./answer.ts";
import type { Reply } from "./reply.ts";
import { userAgentOf } from "./request-head.ts";

/** Calls the route's rpc and makes its response an answer. Throws a Failure when the call fails. */
export async function forward(
  context: Context,
  route: Route,
  message: Message,
  exchange: Exchange,
  idempotencyKey: string | undefined,
): Promise<Reply> {
  const { rpc, rpcPath, needs } = route;
  const channel = context.upstreams.get(rpc.parent.typeName);
  if (channel === undefined) throw internal(new Error(`${rpc.parent.typeName} has no upstream`));

  let bytes: Uint8Array;
  try {
    ({ message: bytes } = await channel.unary(rpcPath, toBinary(rpc.input, message), {
      timeoutMs: needs.deadlineMs,
      signal: exchange.signal,
      metadata: metadataOf(exchange, idempotencyKey),
    }));
  } catch (error) {
    throw exchange.signal.aborted ? clientGone(error) : fromUpstream(error);
  }

  const response = route.writeResponse.decode(bytes);
  // A browser keeps its tokens in cookies that no script reads; so none may stand in a body, where one could.
  const setCookies = cookiesOf(response, needs, context.cookies, isBrowser(exchange.head));
  return { status: 200, headers: {}, setCookies, body: route.writeResponse.encode(response) };
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
