import type { Message } from "@bufbuild/protobuf";
import {
  type handleServerStreamingCall,
  type handleUnaryCall,
  type ServerUnaryCall,
  type ServerWritableStream,
} from "@grpc/grpc-js";

import { GrpcError } from "./error.ts";
import { Metadata } from "./metadata.ts";
import {
  encodeResponse,
  pathOf,
  type Interceptor,
  type MethodDefinition,
  type ServerCall,
} from "./service.ts";
import { Status } from "./status.ts";
import { checkSize, errorToWire, fromWireMetadata, toWireMetadata } from "./wire.ts";

/** What unary calls and server streams of grpc-js share. */
type WireCall = Pick<
  ServerUnaryCall<unknown, unknown>,
  "metadata" | "getDeadline" | "getPeer" | "sendMetadata"
> & {
  on(event: "cancelled", listener: () => void): unknown;
};

interface OpenCall {
  readonly call: ServerCall;
  /** The outcome is on its way: from here on a closed stream is no cancellation. */
  finish(): void;
}

function openCall({ method }: MethodDefinition, wire: WireCall): OpenCall {
  const controller = new AbortController();
  let finished = false;
  const deadline = Number(wire.getDeadline());
  const deadlineMs = Number.isFinite(deadline) ? deadline : undefined;
  const responseTrailers = new Metadata();
  // grpc-js says "cancelled" at the end of every call, however it ended.
  wire.on("cancelled", () => {
    if (finished) return;
    const late = deadlineMs !== undefined && Date.now() >= deadlineMs;
    controller.abort(
      late
        ? new GrpcError(Status.DEADLINE_EXCEEDED, "the deadline passed")
        : new GrpcError(Status.CANCELLED, "the call was cancelled"),
    );
  });
  return {
    call: {
      method,
      path: pathOf(method),
      metadata: fromWireMetadata(wire.metadata),
      peer: wire.getPeer(),
      signal: controller.signal,
      deadlineMs,
      responseHeaders: new Metadata(),
      responseTrailers,
    },
    finish: () => {
      finished = true;
    },
  };
}

export function unaryHandler(
  definition: Extract<MethodDefinition, { kind: "unary" }>,
  interceptors: readonly Interceptor[],
  maxBytes: number,
): handleUnaryCall<Uint8Array, Uint8Array> {
  return (wire, callback) => {
    const { call, finish } = openCall(definition, wire);
    const run = interceptors.reduceRight<() => Promise<Message>>(
      (next, interceptor) => async () => interceptor.unary(call, next),
      async () => definition.run(wire.request, call),
    );
    const answer = async (): Promise<Uint8Array> => {
      const bytes = encodeResponse(definition.method, await run());
      checkSize(bytes, maxBytes);
      return bytes;
    };
    answer().then(
      (bytes) => {
        finish();
        sendHeaders(wire, call);
        callback(null, bytes, toWireMetadata([call.responseTrailers]));
      },
      (error: unknown) => {
        finish();
        sendHeaders(wire, call);
        callback(errorToWire(error, call.responseTrailers));
      },
    );
  };
}

export function serverStreamHandler(
  definition: Extract<MethodDefinition, { kind: "server_streaming" }>,
  interceptors: readonly Interceptor[],
  maxBytes: number,
): handleServerStreamingCall<Uint8Array, Uint8Array> {
  return (wire) => {
    const { call, finish } = openCall(definition, wire);
    const run = interceptors.reduceRight<() => AsyncIterable<Message>>(
      (next, interceptor) => () => interceptor.serverStream(call, next),
      () => definition.run(wire.request, call),
    );
    const send = async (): Promise<void> => {
      let first = true;
      for await (const message of run()) {
        if (call.signal.aborted) return;
        if (first) sendHeaders(wire, call);
        first = false;
        const bytes = encodeResponse(definition.method, message);
        checkSize(bytes, maxBytes);
        if (!wire.write(bytes)) await drained(wire, call.signal);
        if (call.signal.aborted) return;
      }
      if (first) sendHeaders(wire, call);
    };
    send().then(
      () => {
        finish();
        if (call.signal.aborted) return;
        wire.end(toWireMetadata([call.responseTrailers]));
      },
      (error: unknown) => {
        finish();
        if (call.signal.aborted) return;
        // How grpc-js ends a stream with a status.
        wire.emit("error", errorToWire(error, call.responseTrailers));
      },
    );
  };
}

function sendHeaders(wire: WireCall, call: ServerCall): void {
  const headers = toWireMetadata([call.responseHeaders]);
  // Without headers of its own a call that fails before its first message is answered by trailers alone.
  if (Object.keys(headers.getMap()).length > 0) wire.sendMetadata(headers);
}

/** Waits until the client has taken enough for more to be sent, or will take nothing more. */
async function drained(
  wire: ServerWritableStream<Uint8Array, Uint8Array>,
  signal: AbortSignal,
): Promise<void> {
  if (signal.aborted) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  const done = (): void => resolve();
  wire.once("drain", done);
  signal.addEventListener("abort", done, { once: true });
  await promise;
  wire.off("drain", done);
  signal.removeEventListener("abort", done);
}
