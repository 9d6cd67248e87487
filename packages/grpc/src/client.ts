import {
  create,
  fromBinary,
  type DescMessage,
  type DescMethod,
  type DescService,
  type MessageInitShape,
  type MessageShape,
} from "@bufbuild/protobuf";
import { MethodOptions_IdempotencyLevel } from "@bufbuild/protobuf/wkt";

import type { CallOptions, Channel } from "./channel.ts";
import { GrpcError } from "./error.ts";
import { encodeMessage } from "./protobuf/encode.ts";
import { pathOf } from "./service.ts";
import { Status } from "./status.ts";

type ClientMethod<M> = M extends {
  methodKind: infer K;
  input: infer I extends DescMessage;
  output: infer O extends DescMessage;
}
  ? K extends "unary"
    ? (request: MessageInitShape<I>, options?: CallOptions) => Promise<MessageShape<O>>
    : K extends "server_streaming"
      ? (request: MessageInitShape<I>, options?: CallOptions) => AsyncIterable<MessageShape<O>>
      : K extends "client_streaming"
        ? (requests: AsyncIterable<MessageInitShape<I>>, options?: CallOptions) => Promise<MessageShape<O>>
        : (
            requests: AsyncIterable<MessageInitShape<I>>,
            options?: CallOptions,
          ) => AsyncIterable<MessageShape<O>>
  : never;

/** A service's methods by local name. Every failure is a GrpcError. */
export type Client<S extends DescService> = {
  readonly [K in keyof S["method"]]: ClientMethod<S["method"][K]>;
};

/** Binds a service to a channel. Methods with a client stream need a channel that has `duplex`. */
export function createClient<S extends DescService>(service: S, channel: Channel): Client<S> {
  const methods = service.methods.map((method) => [method.localName, bind(method, channel)]);
  return Object.fromEntries(methods) as Client<S>;
}

type Bound = (request: never, options?: CallOptions) => unknown;
type Init = MessageInitShape<DescMessage>;

function bind(method: DescMethod, channel: Channel): Bound {
  const path = pathOf(method);
  // A copy of its own: the request has to stay as it is until the call has ended.
  const encode = (request: Init): Uint8Array =>
    Buffer.from(encodeMessage(method.input, create(method.input, request)));
  const encodeAll = async function* (requests: AsyncIterable<Init>): AsyncGenerator<Uint8Array> {
    for await (const request of requests) yield encode(request);
  };
  const duplex = (
    requests: AsyncIterable<Init>,
    options: CallOptions | undefined,
  ): AsyncIterable<Uint8Array> => {
    if (channel.duplex === undefined) throw new TypeError(`${path}: the channel has no client streams`);
    return channel.duplex(path, encodeAll(requests), options);
  };
  const repeatable = method.idempotency !== MethodOptions_IdempotencyLevel.IDEMPOTENCY_UNKNOWN;
  const withIdempotency = (options: CallOptions | undefined): CallOptions | undefined =>
    repeatable ? { idempotent: true, ...options } : options;
  switch (method.methodKind) {
    case "unary":
      return async (request: Init, options?: CallOptions) =>
        decode(method, (await channel.unary(path, encode(request), withIdempotency(options))).message);
    case "server_streaming":
      return async function* (request: Init, options?: CallOptions) {
        for await (const bytes of channel.serverStream(path, encode(request), withIdempotency(options)))
          yield decode(method, bytes);
      };
    case "client_streaming":
      return async (requests: AsyncIterable<Init>, options?: CallOptions) =>
        onlyAnswer(method, duplex(requests, options));
    case "bidi_streaming":
      return async function* (requests: AsyncIterable<Init>, options?: CallOptions) {
        for await (const bytes of duplex(requests, options)) yield decode(method, bytes);
      };
  }
}

async function onlyAnswer(
  method: DescMethod,
  answers: AsyncIterable<Uint8Array>,
): Promise<MessageShape<DescMessage>> {
  let answer: MessageShape<DescMessage> | undefined;
  for await (const bytes of answers) {
    if (answer !== undefined) throw new GrpcError(Status.INTERNAL, "the server sent more than one answer");
    answer = decode(method, bytes);
  }
  if (answer === undefined) throw new GrpcError(Status.INTERNAL, "the server sent no answer");
  return answer;
}

function decode(method: DescMethod, bytes: Uint8Array): MessageShape<DescMessage> {
  try {
    return fromBinary(method.output, bytes);
  } catch (cause) {
    throw new GrpcError(Status.INTERNAL, `the answer is not a ${method.output.typeName}`, { cause });
  }
}
