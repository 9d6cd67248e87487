import {
  Client as WireClient,
  credentials,
  type CallOptions as WireCallOptions,
  type ChannelOptions as WireChannelOptions,
  type ServiceError,
  type StatusObject,
} from "@grpc/grpc-js";

import { GrpcError } from "./error.ts";
import { Metadata } from "./metadata.ts";
import { readServerStream } from "./read-stream.ts";
import { Status } from "./status.ts";
import {
  checkSize,
  defaultMaxMessageBytes,
  errorFromWire,
  fromBuffer,
  fromWireMetadata,
  toBuffer,
  toWireMetadata,
} from "./wire.ts";

export interface CallOptions {
  /**
   * The deadline, from now; the server learns of it. Zero and below fail at once with DEADLINE_EXCEEDED. Default:
   * the channel's `defaultTimeoutMs` for a unary call, none for a stream.
   */
  readonly timeoutMs?: number;
  /** Cancels the call, which then fails with CANCELLED and the signal's reason as its cause. */
  readonly signal?: AbortSignal;
  /** Sent behind the channel's own metadata. */
  readonly metadata?: Metadata;
  /** Waits for a connection until the deadline in place of failing with UNAVAILABLE. Default: false. */
  readonly waitForReady?: boolean;
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
   * Pings a connection that has calls and was silent for so long, and drops it when no answer comes within 10
   * seconds. Servers may refuse pings more frequent than each 5 minutes. Default: no pings.
   */
  readonly keepaliveMs?: number;
}

/** The longest deadline: grpc-js servers hold milliseconds in 32 bits and take a longer one for one long past. */
const maxTimeoutMs = 2_000_000_000;

/**
 * Opens a channel without encryption. `target` is "host:port" or "dns:///host:port"; a name with several addresses is
 * served by all of them in turn (round robin).
 */
export function openChannel(target: string, options: ChannelOptions = {}): Channel {
  const maxBytes = options.maxMessageBytes ?? defaultMaxMessageBytes;
  const client = new WireClient(
    target,
    credentials.createInsecure(),
    channelOptions(maxBytes, options.keepaliveMs),
  );
  let closed = false;

  const prepare = (
    message: Uint8Array,
    call: CallOptions,
    timeoutMs: number | undefined,
  ): WireCallOptions => {
    if (closed) throw new GrpcError(Status.UNAVAILABLE, "the channel is closed");
    if (call.signal?.aborted === true) throw cancelled(call.signal);
    checkSize(message, maxBytes);
    if (timeoutMs === undefined) return {};
    if (timeoutMs <= 0) throw new GrpcError(Status.DEADLINE_EXCEEDED, "the deadline passed before the call");
    return { deadline: Date.now() + Math.min(timeoutMs, maxTimeoutMs) };
  };

  const wireMetadata = (call: CallOptions): ReturnType<typeof toWireMetadata> =>
    toWireMetadata([options.metadata, call.metadata], { waitForReady: call.waitForReady ?? false });

  return {
    async unary(path, message, call = {}) {
      const wireOptions = prepare(message, call, call.timeoutMs ?? options.defaultTimeoutMs);
      const { promise, resolve, reject } = Promise.withResolvers<UnaryResponse>();
      let headers = new Metadata();
      let answer: Uint8Array | undefined;
      let failure: ServiceError | undefined;
      const wire = client.makeUnaryRequest(
        path,
        toBuffer,
        fromBuffer,
        message,
        wireMetadata(call),
        wireOptions,
        (error, value) => {
          failure = error ?? undefined;
          answer = value;
        },
      );
      wire.on("metadata", (received) => {
        headers = fromWireMetadata(received);
      });
      // The status comes last, after the callback.
      wire.on("status", (status: StatusObject) => {
        if (answer !== undefined && failure === undefined) {
          resolve({ message: answer, headers, trailers: fromWireMetadata(status.metadata) });
        } else {
          reject(call.signal?.aborted === true ? cancelled(call.signal) : errorFromWire(status, failure));
        }
      });
      const cancel = (): void => wire.cancel();
      call.signal?.addEventListener("abort", cancel, { once: true });
      try {
        return await promise;
      } finally {
        call.signal?.removeEventListener("abort", cancel);
      }
    },

    async *serverStream(path, message, call = {}) {
      const wireOptions = prepare(message, call, call.timeoutMs);
      const wire = client.makeServerStreamRequest(
        path,
        toBuffer,
        fromBuffer,
        message,
        wireMetadata(call),
        wireOptions,
      );
      yield* readServerStream(wire, call.signal);
    },

    close() {
      closed = true;
      client.close();
    },
  };
}

/** What a call fails with when its own signal cancelled it. */
function cancelled(signal: AbortSignal): GrpcError {
  return new GrpcError(Status.CANCELLED, "the call was cancelled", { cause: signal.reason });
}

function channelOptions(maxBytes: number, keepaliveMs: number | undefined): WireChannelOptions {
  return {
    "grpc.max_receive_message_length": maxBytes,
    // The limit is checked before grpc-js sees the message.
    "grpc.max_send_message_length": -1,
    "grpc.service_config": JSON.stringify({ loadBalancingConfig: [{ round_robin: {} }] }),
    "grpc.service_config_disable_resolution": 1,
    "grpc.initial_reconnect_backoff_ms": 100,
    "grpc.max_reconnect_backoff_ms": 5_000,
    "grpc.dns_min_time_between_resolutions_ms": 1_000,
    // The environment is read by config.ts alone.
    "grpc.enable_http_proxy": 0,
    "grpc.enable_channelz": 0,
    "grpc.use_local_subchannel_pool": 1,
    ...(keepaliveMs === undefined
      ? {}
      : { "grpc.keepalive_time_ms": keepaliveMs, "grpc.keepalive_timeout_ms": 10_000 }),
  };
}
