import type { Context } from "../context.ts";
import { clientGone, Failure, internal } from "../errors/failure.ts";
import { fromUpstream } from "../errors/from-upstream.ts";
import type { Route } from "../routing/route-table.ts";
import { streamFormOf } from "./accept.ts";
import type { Exchange } from "./answer.ts";
import type { Outgoing } from "./forward.ts";
import type { Reply } from "./reply.ts";
import { returnedMetadata } from "./returned-metadata.ts";
import { framingOf } from "./stream.ts";

/** How long the status waits for the first message. A call that fails by then is answered with its own status. */
const firstMessageMs = 300;

/**
 * Calls an rpc that answers with a stream, and gives its messages as they come. It is cancelled when the client leaves. A
 * failure after the first message stands in the stream, since the status is out by then.
 */
export async function forwardStream(
  context: Context,
  { rpcPath, response }: Route,
  { channel, message, timeoutMs, metadata }: Outgoing,
  exchange: Exchange,
): Promise<Reply> {
  const { log } = context;
  const { signal, requestId, head } = exchange;
  // A HttpBody's pieces are one body, which has no place for a failure: it is then cut off.
  const framing = response.isRaw ? undefined : framingOf(streamFormOf(head.accept));
  const headers: Record<string, string> = framing === undefined ? {} : { "x-accel-buffering": "no" };
  const reply = { status: 200, headers, setCookies: [], body: undefined };
  if (exchange.method === "HEAD") return { ...reply, contentType: framing?.contentType };

  const timeout = timeoutMs === undefined ? {} : { timeoutMs };
  const call = channel.serverStream(rpcPath, message, {
    ...timeout,
    signal,
    metadata,
    // Before the first message; what comes when the answer has begun is too late to be told.
    onHeaders: (sent) =>
      Object.assign(
        headers,
        returnedMetadata(context, () => sent),
      ),
  });
  const messages = call[Symbol.asyncIterator]();
  const toFailure = (error: unknown): Failure => {
    if (error instanceof Failure) return error;
    return signal.aborted ? clientGone(error) : fromUpstream(error);
  };
  const next = async (): Promise<{ contentType: string | undefined; body: Buffer } | undefined> => {
    const result = await messages.next();
    return result.done === true ? undefined : response.write(result.value);
  };
  const first = next();
  // Its failure is handled where it is awaited.
  first.catch(() => undefined);
  const known = await Promise.race([
    first.catch((error: unknown) => {
      throw toFailure(error);
    }),
    new Promise<"late">((resolve) => {
      setTimeout(resolve, framing === undefined ? 2 ** 30 : firstMessageMs, "late").unref();
    }),
  ]);
  const contentType =
    framing?.contentType ?? (known === "late" ? undefined : known?.contentType) ?? "application/octet-stream";

  async function* pieces(): AsyncGenerator<Buffer> {
    try {
      for (let piece = await first; piece !== undefined; piece = await next()) {
        yield framing === undefined ? piece.body : framing.message(piece.body);
      }
    } catch (error) {
      const failure = toFailure(error);
      if (!signal.aborted) log.warn({ err: failure.cause, requestId }, "a stream failed");
      if (framing === undefined) throw internal(failure);
      yield framing.failure(failure, requestId);
    } finally {
      await messages.return?.();
    }
  }
  return { ...reply, contentType, stream: pieces() };
}
