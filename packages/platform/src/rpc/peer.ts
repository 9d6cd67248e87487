import { randomUUID } from "node:crypto";

import { Metadata, openChannel, type CallOptions, type Channel } from "@chirrup/grpc";

import { defaultOnwardMs, newTraceparent, onwardMetadata } from "./call.ts";
import { metadataKeys } from "./metadata-keys.ts";

/** Pings find a peer whose machine is gone, which sends no end of the connection. */
const keepaliveMs = 20_000;

/** A channel to another service that proves this process to be one. Unary calls without a deadline get 5 seconds. */
export function openPeer(address: string, peerSecret: string): Channel {
  return openChannel(address, {
    metadata: Metadata.from({ [metadataKeys.peerSecret]: peerSecret }),
    defaultTimeoutMs: defaultOnwardMs,
    keepaliveMs,
  });
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

/** The options of a call that no user asked for, as a consumer of events makes it. */
export function peerCallOptions(options: PeerCallOptions = {}): CallOptions {
  const { requestId = randomUUID(), traceparent = newTraceparent(), timeoutMs, signal } = options;
  return {
    metadata: onwardMetadata({ requestId, traceparent, caller: undefined }),
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
    ...(signal === undefined ? {} : { signal }),
  };
}
