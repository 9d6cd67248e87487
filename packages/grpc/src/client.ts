import {
  create,
  fromBinary,
  toBinary,
  type DescMessage,
  type DescMethod,
  type DescService,
  type MessageInitShape,
  type MessageShape,
} from "@bufbuild/protobuf";

import type { CallOptions, Channel } from "./channel.ts";
import { GrpcError } from "./error.ts";
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
      : never
  : never;

/** A service's methods by local name. Every failure is a GrpcError. */
export type Client<S extends DescService> = {
  readonly [K in keyof S["method"]]: ClientMethod<S["method"][K]>;
};

/** Binds a service to a channel. Methods with a client stream throw TypeError when called. */
export function createClient<S extends DescService>(service: S, channel: Channel): Client<S> {
  const methods = service.methods.map((method) => [method.localName, bind(method, channel)]);
  return Object.fromEntries(methods) as Client<S>;
}

type Bound = (request: MessageInitShape<DescMessage>, options?: CallOptions) => unknown;

function bind(method: DescMethod, channel: Channel): Bound {
  const path = pathOf(method);
  const encode = (request: MessageInitShape<DescMessage>): Uint8Array =>
    toBinary(method.input, create(method.input, request));
  switch (method.methodKind) {
    case "unary":
      return async (request, options) =>
        decode(method, (await channel.unary(path, encode(request), options)).message);
    case "server_streaming":
      return async function* (request, options) {
        for await (const bytes of channel.serverStream(path, encode(request), options))
          yield decode(method, bytes);
      };
    default:
      return () => {
        throw new TypeError(`${path}: client streams are not supported`);
      };
  }
}

function decode(method: DescMethod, bytes: Uint8Array): MessageShape<DescMessage> {
  try {
    return fromBinary(method.output, bytes);
  } catch (cause) {
    throw new GrpcError(Status.INTERNAL, `the answer is not a ${method.output.typeName}`, { cause });
  }
}
