import { randomUUID } from "node:crypto";

import { cancellationOf, Metadata, openChannel, type CallOptions, type Channel } from "@chirrup/grpc";

import type { Metrics } from "../metrics/index.ts";
import { defaultOnwardMs, newTraceparent, onwardMetadata } from "./call.ts";
import { measured } from "./measured.ts";
import { metadataKeys } from "./metadata-keys.ts";
import type { PeerTls } from "./peer-tls.ts";

/** Pings find a peer whose machine is gone, which sends no end of the connection. */
const keepaliveMs = 20_000;

interface PeerOptions {
  /** Measures unary calls in rpc_client_duration_seconds, by method and code. Default: they are not measured. */
  readonly metrics?: Metrics | undefined;
  /** Default: in clear. */
  readonly tls?: PeerTls | undefined;
}

/** A channel to another service that proves this process to be one. Unary calls without a deadline get 5 seconds. */
export function openPeer(address: string, peerSecret: string, { metrics, tls }: PeerOptions = {}): Channel {
  const channel = openChannel(address, {
    metadata: Metadata.from({ [metadataKeys.peerSecret]: peerSecret }),
    defaultTimeoutMs: defaultOnwardMs,
    keepaliveMs,
    ...(tls === undefined ? {} : { tls: tls.client }),
  });
  return metrics === undefined ? channel : measured(channel, metrics);
}

export interface PeerCallOptions {
  /** Default: a new one. */
  readonly requestId?: string;
  /** Default: a new trace. */
  readonly traceparent?: string;
  /** Default: 5,000 for a unary call, none for a stream. */
  readonly timeoutMs?: number;
  /** A lasting one: of the process, or of what it consumes. */
  readonly signal?: AbortSignal;
  /**
   * Default: true. A replica may not have come yet to what the primary had when an event was taken up; a call that
   * stands for several readers, none of whom has written a moment ago, may be answered by one.
   */
  readonly readsPrimary?: boolean;
}

/** The options of a call that no one user asked for, as a consumer of events makes it. */
export function peerCallOptions(options: PeerCallOptions = {}): CallOptions {
  const { requestId = randomUUID(), traceparent = newTraceparent(), timeoutMs, signal } = options;
  const { readsPrimary = true } = options;
  return {
    metadata: onwardMetadata({
      requestId,
      traceparent,
      caller: undefined,
      consistency: [],
      readsPrimary,
    }),
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
    ...(signal === undefined ? {} : { signal: cancellationOf(signal) }),
  };
}
