import {
  create,
  fromBinary,
  toBinary,
  type DescMessage,
  type DescMethod,
  type DescService,
  type Message,
  type MessageInitShape,
  type MessageShape,
} from "@bufbuild/protobuf";

import { GrpcError } from "./error.ts";
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
  /** Milliseconds since the Unix epoch by this process's clock; undefined when the client set none. */
  readonly deadlineMs: number | undefined;
  /** Sent before the first message. */
  readonly responseHeaders: Metadata;
  /** Sent with the status. */
  readonly responseTrailers: Metadata;
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

type MethodImpl<M> = M extends {
  methodKind: infer K;
  input: infer I extends DescMessage;
  output: infer O extends DescMessage;
}
  ? K extends "unary"
    ? UnaryImpl<I, O>
    : K extends "server_streaming"
      ? ServerStreamImpl<I, O>
      : never
  : never;

/** An implementation of every method, by local name. Services with client streams are not supported. */
export type ServiceImpl<S extends DescService> = {
  readonly [K in keyof S["method"]]: MethodImpl<S["method"][K]>;
};

/**
 * Wraps every call of a server: runs before the request is decoded, and sees the outcome before it is sent. It may
 * throw, in place of calling `next` or after it.
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

export type MethodDefinition = UnaryDefinition | ServerStreamDefinition;

/** A service and its implementation, ready to be served. */
export interface ServiceDefinition {
  /** "package.Service". */
  readonly name: string;
  readonly methods: readonly MethodDefinition[];
}

type AnyUnary = UnaryImpl<DescMessage, DescMessage>;
type AnyServerStream = ServerStreamImpl<DescMessage, DescMessage>;

/** Binds an implementation to its service. Throws TypeError when a method is missing or has a client stream. */
export function serviceOf<S extends DescService>(service: S, impl: ServiceImpl<S>): ServiceDefinition {
  const byName = impl as unknown as Readonly<Record<string, AnyUnary | AnyServerStream | undefined>>;
  const methods = service.methods.map((method): MethodDefinition => {
    const implementation = byName[method.localName];
    if (implementation === undefined) throw new TypeError(`${pathOf(method)} has no implementation`);
    switch (method.methodKind) {
      case "unary":
        return unary(method, implementation as AnyUnary);
      case "server_streaming":
        return serverStream(method, implementation as AnyServerStream);
      default:
        throw new TypeError(`${pathOf(method)}: client streams are not supported`);
    }
  });
  return { name: service.typeName, methods };
}

/** The `:path` of a method, "/package.Service/Method". */
export function pathOf(method: DescMethod): string {
  return `/${method.parent.typeName}/${method.name}`;
}

/** The bytes of a method's answer. */
export function encodeResponse(method: DescMethod, message: Message): Uint8Array {
  return toBinary(method.output, message);
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

function decodeRequest(method: DescMethod, bytes: Uint8Array): Message {
  try {
    return fromBinary(method.input, bytes);
  } catch (cause) {
    throw new GrpcError(Status.INTERNAL, `the request is not a ${method.input.typeName}`, { cause });
  }
}
