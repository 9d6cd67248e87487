import type { DescMessage, DescService, MessageInitShape, MessageShape } from "@bufbuild/protobuf";

import type { Call } from "./call.ts";

/** The handler of one method: `Handler<typeof PostService.method.createPost>`. */
export type Handler<M> = M extends {
  methodKind: infer K;
  input: infer I extends DescMessage;
  output: infer O extends DescMessage;
}
  ? K extends "unary"
    ? (request: MessageShape<I>, call: Call) => Promise<MessageInitShape<O>>
    : K extends "server_streaming"
      ? (request: MessageShape<I>, call: Call) => AsyncIterable<MessageInitShape<O>>
      : never
  : never;

/** A handler for every method of a service, by local name. */
export type Handlers<S extends DescService> = { readonly [K in keyof S["method"]]: Handler<S["method"][K]> };
