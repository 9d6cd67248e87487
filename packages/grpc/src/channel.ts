import type { Cancellation } from "./cancellation.ts";
import { withCredentials, type CallCredentials } from "./client/call-credentials.ts";
import { intercepted, type ClientInterceptor } from "./client/interceptor.ts";
import { cancelled, type CallSetup } from "./client/client-call.ts";
import { Pool } from "./client/pool.ts";
import { StreamingCall } from "./client/streaming-call.ts";
import { readTarget } from "./client/target.ts";
import { UnaryCall } from "./client/unary-call.ts";
import { GrpcError } from "./error.ts";
import type { Metadata } from "./metadata.ts";
import { Status } from "./status.ts";
import type { TlsClientOptions } from "./tls.ts";
import { tooLarge } from "./wire/message-reader.ts";

/** Default limit of a message in either direction, 4 MiB. */
const defaultMaxMessageBytes = 4_194_304;
const defaultKeepaliveTimeoutMs = 10_000;

export interface CallOptions {
  /**
   * The deadline, from now; the server learns of it. Zero and below fail at once with DEADLINE_EXCEEDED. Default:
   * the channel's `defaultTimeoutMs` for a unary call, none for a stream.
   */
  readonly timeoutMs?: number;
  /** Cancels the call, which then fails with CANCELLED and the signal's reason as its cause. */
  readonly signal?: Cancellation;
  /** Sent behind the channel's own metadata. */
  readonly metadata?: Metadata;
  /** Waits for a connection until the deadline in place of failing with UNAVAILABLE. Default: false. */
  readonly waitForReady?: boolean;
  /**
   * The method may be run twice with the effect of once, so that a call whose connection is lost before an answer is
   * made again. `createClient` sets it from the method's `idempotency_level`. Default: false.
   */
  readonly idempotent?: boolean;
  /** Sent behind the channel's own. A call that has any fails with UNAUTHENTICATED without TLS. Default: none. */
  readonly credentials?: CallCredentials;
  /** Compresses the messages that are sent. Default: "identity". */
  readonly compression?: "identity" | "gzip";
  /** Which of the messages compression is for. Default: all. */
  readonly compresses?: (message: Uint8Array) => boolean;
  /** Given the metadata that comes before the first message. A call that fails at once has none. */
  readonly onHeaders?: (headers: Metadata) => void;
  /** Given the metadata that comes with the status, before the call ends. A call that the server did not end has none. */
  readonly onTrailers?: (trailers: Metadata) => void;
}

export interface UnaryResponse {
  readonly message: Uint8Array;
  readonly headers: Metadata;
  readonly trailers: Metadata;
}

/**
 * Connections to one target. They are opened when first needed and again, with backoff of 0.1 to 5 seconds, when they
 * are lost; an idle channel does not keep the process alive. Every failure is a GrpcError.
 */
export interface Channel {
  /** One request, one answer. `path` is "/package.Service/Method". */
  unary(path: string, message: Uint8Array, options?: CallOptions): Promise<UnaryResponse>;
  /**
   * One request, many answers. The call starts with the first `next()`; the server is slowed down to the reader's
   * speed; leaving the loop early cancels the call.
   */
  serverStream(path: string, message: Uint8Array, options?: CallOptions): AsyncIterable<Uint8Array>;
  /**
   * Many requests, many answers or one; both flow at the speed of the slower end. An error that `messages` throws
   * cancels the call and is its failure's cause. Absent in a channel that wraps another and does not pass it on.
   */
  duplex?(
    path: string,
    messages: AsyncIterable<Uint8Array>,
    options?: CallOptions,
  ): AsyncIterable<Uint8Array>;
  /** Closes the connections. Calls that have not reached a server fail with UNAVAILABLE. */
  close(): void;
}

export interface ChannelOptions {
  /** Sent with each call. */
  readonly metadata?: Metadata;
  /** Limit of a message in either direction, RESOURCE_EXHAUSTED above it. Default: 4 MiB. */
  readonly maxMessageBytes?: number;
  /** Deadline of unary calls that set none. Default: none. */
  readonly defaultTimeoutMs?: number;
  /**
   * Pings a connection that has calls and was silent for so long, and drops it when no answer comes within
   * `keepaliveTimeoutMs`. Servers may refuse pings more frequent than each 5 minutes. Default: no pings.
   */
  readonly keepaliveMs?: number;
  /** Default: 10,000. */
  readonly keepaliveTimeoutMs?: number;
  /** Default: no encryption. */
  readonly tls?: TlsClientOptions;
  /** Of each call, which fails with UNAUTHENTICATED without TLS. Default: none. */
  readonly credentials?: CallCredentials;
  /** Sends credentials without TLS too, to whoever listens on the way. Default: false. */
  readonly insecureCredentials?: boolean;
  /** The first is the outermost. Default: none. */
  readonly interceptors?: readonly ClientInterceptor[];
  /** Whether calls go to every address in turn or to the first that answers. Default: "round_robin". */
  readonly policy?: "round_robin" | "pick_first";
}

/**
 * Opens a channel. `target` is "host:port", "dns:///host:port" or "ipv4:address:port,…"; all addresses of a name get
 * calls in turn (round robin), and the name is looked up again each 10 seconds and when a connection is lost.
 */
export function openChannel(target: string, options: ChannelOptions = {}): Channel {
  const maxBytes = options.maxMessageBytes ?? defaultMaxMessageBytes;
  const place = readTarget(target);
  const pool = new Pool(
    place,
    {
      authority: place.authority,
      metadata: options.metadata,
      keepaliveMs: options.keepaliveMs,
      keepaliveTimeoutMs: options.keepaliveTimeoutMs ?? defaultKeepaliveTimeoutMs,
      tls: options.tls,
    },
    options.policy ?? "round_robin",
  );
  let closed = false;

  const setup = (
    path: string,
    call: CallOptions,
    timeoutMs: number | undefined,
    message?: Uint8Array,
  ): CallSetup => {
    const { signal, compresses } = call;
    if (closed) throw new GrpcError(Status.UNAVAILABLE, "the channel is closed");
    if (signal?.aborted === true) throw cancelled(signal);
    if (timeoutMs !== undefined && timeoutMs <= 0) {
      throw new GrpcError(Status.DEADLINE_EXCEEDED, "the deadline passed before the call");
    }
    if (message !== undefined && message.byteLength > maxBytes) throw tooLarge(message.byteLength, maxBytes);
    const gzip = call.compression === "gzip";
    return {
      path,
      metadata: call.metadata,
      deadlineAtMs: timeoutMs === undefined ? Number.POSITIVE_INFINITY : performance.now() + timeoutMs,
      signal,
      waitForReady: call.waitForReady ?? false,
      repeatable: call.idempotent ?? false,
      // A single message is looked at before the call is made.
      compress: message === undefined ? gzip : gzip && (compresses?.(message) ?? true),
      compresses: message === undefined ? compresses : undefined,
      onHeaders: call.onHeaders,
      onTrailers: call.onTrailers,
      maxBytes,
    };
  };

  const bare: Required<Channel> = {
    unary(path, message, call = {}) {
      return new Promise((resolve, reject) => {
        const ready = setup(path, call, call.timeoutMs ?? options.defaultTimeoutMs, message);
        pool.start(new UnaryCall(pool, ready, message, resolve, reject));
      });
    },

    serverStream: (path, message, call = {}) =>
      lazily(() => start(pool, setup(path, call, call.timeoutMs, message), message)),

    duplex: (path, messages, call = {}) =>
      lazily(() => start(pool, setup(path, call, call.timeoutMs), messages)),

    close() {
      closed = true;
      pool.close();
    },
  };
  const credentialed = withCredentials(bare, {
    authority: place.authority,
    credentials: options.credentials,
    allowed: options.tls !== undefined || options.insecureCredentials === true,
    defaultTimeoutMs: options.defaultTimeoutMs,
  });
  return (options.interceptors ?? []).reduceRight(intercepted, credentialed);
}

function start(pool: Pool, setup: CallSetup, request: Uint8Array | AsyncIterable<Uint8Array>): StreamingCall {
  const call = new StreamingCall(pool, setup, request);
  pool.start(call);
  return call;
}

/** The answers of a call that is made when the first is asked for. */
function lazily(begin: () => StreamingCall): AsyncIterableIterator<Uint8Array, undefined> {
  let call: StreamingCall | undefined;
  let over = false;
  return {
    [Symbol.asyncIterator]() {
      return this;
    },
    async next() {
      if (over) return { done: true, value: undefined };
      try {
        call ??= begin();
      } catch (error) {
        over = true;
        throw error;
      }
      return call.next();
    },
    async return() {
      over = true;
      call?.leave();
      return { done: true, value: undefined };
    },
  };
}
