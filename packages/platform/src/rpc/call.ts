import { randomBytes, randomUUID } from "node:crypto";

import { Metadata, type CallOptions, type ServerCall } from "@chirrup/grpc";

import { unauthenticated } from "../errors/index.ts";
import type { Logger } from "../log/index.ts";
import { metadataKeys } from "./metadata-keys.ts";

/** Who the gateway found to be calling. */
export interface Caller {
  readonly userId: bigint;
  readonly sessionId: bigint;
}

/** One call as its handler sees it. */
export interface Call {
  /** Undefined when the request is not signed in. */
  readonly caller: Caller | undefined;
  /** One for all hops of a request; made here when the peer sent none. */
  readonly requestId: string;
  /** W3C Trace Context; made here when the peer sent none. */
  readonly traceparent: string;
  readonly idempotencyKey: string | undefined;
  /** The IP address that the request came from; "" when it is not known. */
  readonly clientAddress: string;
  /** "" when it is not known. */
  readonly userAgent: string;
  /** Consistency tokens of any service, which stand for what this caller has written. Not verified; at most 16. */
  readonly consistency: readonly string[];
  /** Whether something is decided by what is read: no replica will do. */
  readonly readsPrimary: boolean;
  /** Has the request id and the method in every line. */
  readonly log: Logger;
  /** Aborts when the answer is wanted no longer. */
  readonly signal: AbortSignal;
  /** Milliseconds since the Unix epoch; undefined when the caller set none. */
  readonly deadlineMs: number | undefined;
  /**
   * What an onward call carries: request id, trace, caller, consistency tokens, signal, and the deadline, which is the
   * incoming one or `timeoutMs` from now (default 5,000), whichever comes first. With `readsPrimary`, or when this call
   * has it, the other service answers from its primary.
   */
  onward(options?: { readonly timeoutMs?: number; readonly readsPrimary?: boolean }): CallOptions;
}

/** The caller; throws UNAUTHENTICATED when the request is not signed in. */
export function requireCaller(call: Call): Caller {
  if (call.caller === undefined) throw unauthenticated("sign in first");
  return call.caller;
}

/** Deadline of an onward call whose caller names none. */
export const defaultOnwardMs = 5_000;

/** More than there are services that give out tokens. */
const mostTokens = 16;
const noTokens: readonly string[] = [];

const requestIdPattern = /^[\w.:-]{1,128}$/;
const traceparentPattern = /^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/;
const idPattern = /^[1-9]\d{0,18}$/;

/** Reads the metadata of a call from a peer that has proved itself: all of it is believed. */
export function readCall(call: ServerCall, log: Logger): Call {
  const { metadata } = call;
  const caller = readCaller(metadata);
  const requestId = matching(metadata.get(metadataKeys.requestId), requestIdPattern) ?? randomUUID();
  const traceparent =
    matching(metadata.get(metadataKeys.traceparent), traceparentPattern) ?? newTraceparent();
  const consistency =
    metadata.get(metadataKeys.consistency) === undefined
      ? noTokens
      : metadata.getAll(metadataKeys.consistency).slice(0, mostTokens);
  const readsPrimary = metadata.get(metadataKeys.reads) === "primary";
  let callLog: Logger | undefined;
  return {
    caller,
    requestId,
    traceparent,
    idempotencyKey: metadata.get(metadataKeys.idempotencyKey),
    clientAddress: metadata.get(metadataKeys.clientAddress) ?? "",
    userAgent: metadata.get(metadataKeys.userAgent) ?? "",
    consistency,
    readsPrimary,
    // Made when it is asked for: few calls write a line of their own.
    get log() {
      callLog ??= log.child({ requestId, method: call.path });
      return callLog;
    },
    // Likewise: most handlers wait for nothing but calls and statements.
    get signal() {
      return call.signal;
    },
    deadlineMs: call.deadlineMs,
    onward({ timeoutMs = defaultOnwardMs, readsPrimary: decides = false } = {}) {
      const leftMs = call.deadlineMs === undefined ? timeoutMs : call.deadlineMs - Date.now();
      return {
        timeoutMs: Math.min(timeoutMs, leftMs),
        signal: call.cancellation,
        metadata: onwardMetadata({
          requestId,
          traceparent,
          caller,
          consistency,
          readsPrimary: decides || readsPrimary,
        }),
      };
    },
  };
}

/** The metadata of a call to a peer, but for the secret, which is the channel's. */
export function onwardMetadata(of: {
  requestId: string;
  traceparent: string;
  caller: Caller | undefined;
  consistency: readonly string[];
  readsPrimary: boolean;
}): Metadata {
  const metadata = Metadata.from({
    [metadataKeys.requestId]: of.requestId,
    [metadataKeys.traceparent]: of.traceparent,
  });
  if (of.caller !== undefined) {
    metadata.set(metadataKeys.userId, String(of.caller.userId));
    metadata.set(metadataKeys.sessionId, String(of.caller.sessionId));
  }
  for (const token of of.consistency) metadata.append(metadataKeys.consistency, token);
  if (of.readsPrimary) metadata.set(metadataKeys.reads, "primary");
  return metadata;
}

/** A new trace (https://www.w3.org/TR/trace-context/), not sampled. */
export function newTraceparent(): string {
  return `00-${randomBytes(16).toString("hex")}-${randomBytes(8).toString("hex")}-00`;
}

function readCaller(metadata: Metadata): Caller | undefined {
  const userId = metadata.get(metadataKeys.userId);
  const sessionId = metadata.get(metadataKeys.sessionId);
  if (userId === undefined && sessionId === undefined) return undefined;
  if (!idPattern.test(userId ?? "") || !idPattern.test(sessionId ?? "")) {
    throw unauthenticated("the caller's identity is malformed");
  }
  return { userId: BigInt(userId ?? ""), sessionId: BigInt(sessionId ?? "") };
}

function matching(value: string | undefined, pattern: RegExp): string | undefined {
  return value !== undefined && pattern.test(value) ? value : undefined;
}
