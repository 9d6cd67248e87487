import {
  create,
  fromBinary,
  type DescMessage,
  type DescMethod,
  type DescService,
  type Message,
  type MessageInitShape,
  type MessageShape,
} from "@bufbuild/protobuf";

import type { Cancellation } from "./cancellation.ts";
import { GrpcError } from "./error.ts";
import { encodeMessage } from "./protobuf/encode.ts";
import type { Metadata } from "./metadata.ts";
import { Status } from "./status.ts";

/** One call as its server sees it. */
export interface ServerCall {
  readonly method: DescMethod;
  /** "/package.Service/Method". */
  readonly path: string;
  /** What the client sent. Nothing in it is verified. */
  readonly metadata: Metadata;
  /** The other end of the connection, "127.0.0.1:53102". */
  readonly peer: string;
  /**
   * Aborts when the answer is wanted no longer: the client left, the deadline passed or the server was stopped by
   * force. It does not abort when a call has ended well. An implementation that waits for something watches it.
   */
  readonly signal: AbortSignal;
  /** The same for calls that are made onward, which take it as their `signal`; it costs less. */
  readonly cancellation: Cancellation;
  /** Milliseconds since the Unix epoch by this process's clock; undefined when the client set none. */
  readonly deadlineMs: number | undefined;
  /** Sent before the first message. */
  readonly responseHeaders: Metadata;
  /** Sent with the status. */
  readonly responseTrailers: Metadata;
  /** How the request was compressed on the wire; in a client stream the one that was read last. */
  readonly requestCompression: "identity" | "gzip";
  /**
   * Set to "gzip" before the first message, messages are compressed if the client reads that; it may be set back and
   * forth before each of those that follow. Default: "identity".
   */
  responseCompression?: "identity" | "gzip";
  /** What an interceptor leaves for the implementation. The transport does not look at it. */
  attachment?: unknown;
}

export type UnaryImpl<I extends DescMessage, O extends DescMessage> = (
  request: MessageShape<I>,
  call: ServerCall,
) => Promise<MessageInitShape<O>> | MessageInitShape<O>;

/**
 * Messages are asked for one by one, as fast as the client takes them; when the call is cancelled the iterator is
 * returned after the message it is waiting for.
 */
export type ServerStreamImpl<I extends DescMessage, O extends DescMessage> = (
  request: MessageShape<I>,
  call: ServerCall,
) => AsyncIterable<MessageInitShape<O>>;

/**
 * Requests come as fast as they are asked for; leaving the loop early is no error, and what the client sends after
 * that is dropped.
 */
export type ClientStreamImpl<I extends DescMessage, O extends DescMessage> = (
  requests: AsyncIterable<MessageShape<I>>,
  call: ServerCall,
) => Promise<MessageInitShape<O>>;

export type BidiStreamImpl<I extends DescMessage, O extends DescMessage> = (
  requests: AsyncIterable<MessageShape<I>>,
  call: ServerCall,
) => AsyncIterable<MessageInitShape<O>>;

type MethodImpl<M> = M extends {
  methodKind: infer K;
  input: infer I extends DescMessage;
  output: infer O extends DescMessage;
}
  ? K extends "unary"
    ? UnaryImpl<I, O>
    : K extends "server_streaming"
      ? ServerStreamImpl<I, O>
      : K extends "client_streaming"
        ? ClientStreamImpl<I, O>
        : BidiStreamImpl<I, O>
  : never;

/** An implementation of every method, by local name. */
export type ServiceImpl<S extends DescService> = {
  readonly [K in keyof S["method"]]: MethodImpl<S["method"][K]>;
};

/**
 * Wraps every call of a server: runs before the request is decoded, and sees the outcome before it is sent. It may
 * throw, in place of calling `next` or after it. Which of the two wraps a call is up to its answer: calls with client
 * streams go through `unary` when they have one answer and through `serverStream` when they have many.
 */
export interface Interceptor {
  unary(call: ServerCall, next: () => Promise<Message>): Promise<Message>;
  serverStream(call: ServerCall, next: () => AsyncIterable<Message>): AsyncIterable<Message>;
}

interface UnaryDefinition {
  readonly kind: "unary";
  readonly method: DescMethod;
  run(request: Uint8Array, call: ServerCall): Promise<Message>;
}

interface ServerStreamDefinition {
  readonly kind: "server_streaming";
  readonly method: DescMethod;
  run(request: Uint8Array, call: ServerCall): AsyncIterable<Message>;
}

interface ClientStreamDefinition {
  readonly kind: "client_streaming";
  readonly method: DescMethod;
  run(requests: AsyncIterable<Uint8Array>, call: ServerCall): Promise<Message>;
}

interface BidiStreamDefinition {
  readonly kind: "bidi_streaming";
  readonly method: DescMethod;
  run(requests: AsyncIterable<Uint8Array>, call: ServerCall): AsyncIterable<Message>;
}

export type MethodDefinition =
  | UnaryDefinition
  | ServerStreamDefinition
  | ClientStreamDefinition
  | BidiStreamDefinition;

/** A service and its implementation, ready to be served. */
export interface ServiceDefinition {
  /** "package.Service". */
  readonly name: string;
  readonly methods: readonly MethodDefinition[];
}

type AnyUnary = UnaryImpl<DescMessage, DescMessage>;
type AnyServerStream = ServerStreamImpl<DescMessage, DescMessage>;
type AnyClientStream = ClientStreamImpl<DescMessage, DescMessage>;
type AnyBidiStream = BidiStreamImpl<DescMessage, DescMessage>;

/** Binds an implementation to its service. Throws TypeError when a method is missing. */
export function serviceOf<S extends DescService>(service: S, impl: ServiceImpl<S>): ServiceDefinition {
  const byName = impl as unknown as Readonly<Record<string, unknown>>;
  const methods = service.methods.map((method): MethodDefinition => {
    const implementation = byName[method.localName];
    if (implementation === undefined) throw new TypeError(`${pathOf(method)} has no implementation`);
    switch (method.methodKind) {
      case "unary":
        return unary(method, implementation as AnyUnary);
      case "server_streaming":
        return serverStream(method, implementation as AnyServerStream);
      case "client_streaming":
        return clientStream(method, implementation as AnyClientStream);
      case "bidi_streaming":
        return bidiStream(method, implementation as AnyBidiStream);
    }
  });
  return { name: service.typeName, methods };
}

/** The `:path` of a method, "/package.Service/Method". */
export function pathOf(method: DescMethod): string {
  return `/${method.parent.typeName}/${method.name}`;
}

/** The bytes of a method's answer: a view that the next answer overwrites. */
export function encodeResponse(method: DescMethod, message: Message): Uint8Array {
  return encodeMessage(method.output, message);
}

function unary(method: DescMethod, implementation: AnyUnary): UnaryDefinition {
  return {
    kind: "unary",
    method,
    async run(request, call) {
      return create(method.output, await implementation(decodeRequest(method, request), call));
    },
  };
}

function serverStream(method: DescMethod, implementation: AnyServerStream): ServerStreamDefinition {
  return {
    kind: "server_streaming",
    method,
    async *run(request, call) {
      const messages = implementation(decodeRequest(method, request), call);
      for await (const message of messages) yield create(method.output, message);
    },
  };
}

function clientStream(method: DescMethod, implementation: AnyClientStream): ClientStreamDefinition {
  return {
    kind: "client_streaming",
    method,
    async run(requests, call) {
      return create(method.output, await implementation(decodeRequests(method, requests), call));
    },
  };
}

function bidiStream(method: DescMethod, implementation: AnyBidiStream): BidiStreamDefinition {
  return {
    kind: "bidi_streaming",
    method,
    async *run(requests, call) {
      const messages = implementation(decodeRequests(method, requests), call);
      for await (const message of messages) yield create(method.output, message);
    },
  };
}

async function* decodeRequests(
  method: DescMethod,
  requests: AsyncIterable<Uint8Array>,
): AsyncGenerator<Message> {
  for await (const request of requests) yield decodeRequest(method, request);
}

function decodeRequest(method: DescMethod, bytes: Uint8Array): Message {
  try {
    return fromBinary(method.input, bytes);
  } catch (cause) {
    throw new GrpcError(Status.INTERNAL, `the request is not a ${method.input.typeName}`, { cause });
  }
}
