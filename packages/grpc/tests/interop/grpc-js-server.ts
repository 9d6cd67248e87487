import { once } from "node:events";

import {
  create,
  fromBinary,
  toBinary,
  type DescMessage,
  type DescMethod,
  type Message,
  type MessageInitShape,
} from "@bufbuild/protobuf";
import { TestService } from "@chirrup/proto/grpc/testing/test";
import * as grpc from "@grpc/grpc-js";

import { GrpcError, Metadata, type ServerCall } from "../../src/index.ts";
import { initialKey, testService, trailingKey } from "./test-service.ts";

type Implementation = (request: unknown, call: ServerCall) => unknown;
type AnyCall = grpc.ServerDuplexStream<Message, Message>;
type Callback = grpc.sendUnaryData<Message>;

export interface GrpcJsServer extends AsyncDisposable {
  readonly port: number;
}

/** The test service on grpc-js: the same implementation, so that what differs is the transport. */
export async function grpcJsServer(): Promise<GrpcJsServer> {
  const server = new grpc.Server();
  const served = TestService.methods.filter(({ name }) => name !== "UnimplementedCall");
  server.addService(
    Object.fromEntries(served.map((method) => [method.localName, definitionOf(method)])),
    Object.fromEntries(served.map((method) => [method.localName, handlerOf(method)])),
  );
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    );
  });
  return {
    port,
    async [Symbol.asyncDispose]() {
      server.forceShutdown();
    },
  };
}

function definitionOf(method: DescMethod): grpc.MethodDefinition<Message, Message> {
  const { input, output, methodKind, name, parent } = method;
  const encode = (message: Message): Buffer => Buffer.from(toBinary(output, message));
  return {
    path: `/${parent.typeName}/${name}`,
    requestStream: methodKind === "client_streaming" || methodKind === "bidi_streaming",
    responseStream: methodKind === "server_streaming" || methodKind === "bidi_streaming",
    requestSerialize: (message) => Buffer.from(toBinary(input, message)),
    requestDeserialize: (bytes) => fromBinary(input, bytes),
    responseSerialize: encode,
    responseDeserialize: (bytes) => fromBinary(output, bytes),
  };
}

function handlerOf(method: DescMethod): grpc.UntypedHandleCall {
  const run = testService[method.localName as keyof typeof testService] as Implementation;
  const requestOf = (call: AnyCall): unknown =>
    method.methodKind === "client_streaming" || method.methodKind === "bidi_streaming"
      ? // Left at its end, the iterator would destroy the call with its answers.
        call.iterator({ destroyOnReturn: false })
      : (call as unknown as { request: unknown }).request;
  const messageOf = (answer: unknown): Message =>
    create(method.output, answer as MessageInitShape<DescMessage>);
  if (method.methodKind === "unary" || method.methodKind === "client_streaming") {
    const single = (call: AnyCall, callback: Callback): void => {
      const own = callOf(method, call);
      const answering = async (): Promise<void> => {
        const answer = messageOf(await run(requestOf(call), own));
        sendHeaders(call, own);
        callback(null, answer, trailersOf(own));
      };
      answering().catch((error: unknown) => callback(errorOf(error)));
    };
    return single as grpc.UntypedHandleCall;
  }
  return (call: AnyCall) => {
    const own = callOf(method, call);
    const answering = async (): Promise<void> => {
      let first = true;
      for await (const answer of run(requestOf(call), own) as AsyncIterable<unknown>) {
        if (first) sendHeaders(call, own);
        first = false;
        if (!call.write(messageOf(answer))) await once(call, "drain");
      }
      call.end(trailersOf(own));
    };
    answering().catch((error: unknown) => call.emit("error", errorOf(error)));
  };
}

/** What the implementation is shown of a call. */
function callOf(method: DescMethod, call: AnyCall): ServerCall {
  const cancel = new AbortController();
  call.on("cancelled", () => cancel.abort());
  const metadata = new Metadata();
  const [initial] = call.metadata.get(initialKey);
  if (typeof initial === "string") metadata.set(initialKey, initial);
  const [trailing] = call.metadata.get(trailingKey);
  if (trailing instanceof Buffer) metadata.setBinary(trailingKey, trailing);
  return {
    method,
    path: call.getPath(),
    metadata,
    peer: call.getPeer(),
    signal: cancel.signal,
    cancellation: cancel.signal,
    deadlineMs: undefined,
    requestCompression: "identity",
    responseHeaders: new Metadata(),
    responseTrailers: new Metadata(),
  };
}

function sendHeaders(call: AnyCall, { responseHeaders }: ServerCall): void {
  const headers = new grpc.Metadata();
  for (const [key, value] of responseHeaders.entries()) headers.set(key, value);
  call.sendMetadata(headers);
}

function trailersOf({ responseTrailers }: ServerCall): grpc.Metadata {
  const trailers = new grpc.Metadata();
  for (const [key, value] of responseTrailers.binaryEntries()) trailers.set(key, Buffer.from(value));
  return trailers;
}

function errorOf(error: unknown): Partial<grpc.StatusObject> {
  if (error instanceof GrpcError) return { code: error.code, details: error.message };
  return { code: grpc.status.INTERNAL, details: "internal error" };
}
