import { randomUUID } from "node:crypto";

import { Metadata, openChannel, type CallOptions, type Channel } from "@chirrup/grpc";

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
  readonly signal?: AbortSignal;
}

/**
 * The options of a call that no user asked for, as a consumer of events makes it. It is answered from the primary: a
 * replica may not have come yet to what the primary had when the event was taken up.
 */
export function peerCallOptions(options: PeerCallOptions = {}): CallOptions {
  const { requestId = randomUUID(), traceparent = newTraceparent(), timeoutMs, signal } = options;
  return {
    metadata: onwardMetadata({
      requestId,
      traceparent,
      caller: undefined,
      consistency: [],
      readsPrimary: true,
    }),
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
    ...(signal === undefined ? {} : { signal }),
  };
}
