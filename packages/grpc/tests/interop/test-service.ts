import { setTimeout as wait } from "node:timers/promises";

import type { MessageInitShape } from "@bufbuild/protobuf";
import type {
  BoolValue,
  EchoStatus,
  ResponseParameters,
  StreamingOutputCallResponseSchema,
} from "@chirrup/proto/grpc/testing/messages";
import { TestService } from "@chirrup/proto/grpc/testing/test";

import {
  GrpcError,
  serviceOf,
  Status,
  type ServerCall,
  type ServiceDefinition,
  type ServiceImpl,
} from "../../src/index.ts";

export const initialKey = "x-grpc-test-echo-initial";
export const trailingKey = "x-grpc-test-echo-trailing-bin";

/** The server of the interop cases (https://github.com/grpc/grpc/blob/master/doc/interop-test-descriptions.md, "Server"). */
export const testService: ServiceImpl<typeof TestService> = {
  emptyCall: () => ({}),
  unimplementedCall: () => ({}),

  unaryCall(request, call) {
    echoMetadata(call);
    checkCompression(request.expectCompressed, call);
    fail(request.responseStatus);
    compress(request.responseCompressed, call);
    return { payload: { body: new Uint8Array(request.responseSize) } };
  },

  async *streamingOutputCall(request, call) {
    yield* answers(request.responseParameters, call);
  },

  async streamingInputCall(requests, call) {
    let size = 0;
    for await (const { payload, expectCompressed } of requests) {
      checkCompression(expectCompressed, call);
      size += payload?.body.length ?? 0;
    }
    return { aggregatedPayloadSize: size };
  },

  async *fullDuplexCall(requests, call) {
    echoMetadata(call);
    for await (const { responseStatus, responseParameters } of requests) {
      fail(responseStatus);
      yield* answers(responseParameters, call);
    }
  },

  async *halfDuplexCall(requests, call) {
    const all: ResponseParameters[] = [];
    for await (const { responseParameters } of requests) all.push(...responseParameters);
    yield* answers(all, call);
  },
};

/** The service as it is served: without the method that is not implemented. */
export function testServiceDefinition(): ServiceDefinition {
  const { name, methods } = serviceOf(TestService, testService);
  return { name, methods: methods.filter(({ method }) => method.name !== "UnimplementedCall") };
}

type Answer = MessageInitShape<typeof StreamingOutputCallResponseSchema>;

async function* answers(parameters: readonly ResponseParameters[], call: ServerCall): AsyncGenerator<Answer> {
  for (const { size, intervalUs, compressed } of parameters) {
    if (intervalUs > 0) await wait(intervalUs / 1_000, undefined, { signal: call.signal });
    compress(compressed, call);
    yield { payload: { body: new Uint8Array(size) } };
  }
}

function echoMetadata(call: ServerCall): void {
  const initial = call.metadata.get(initialKey);
  if (initial !== undefined) call.responseHeaders.set(initialKey, initial);
  const trailing = call.metadata.getBinary(trailingKey);
  if (trailing !== undefined) call.responseTrailers.setBinary(trailingKey, trailing);
}

function fail(status: EchoStatus | undefined): void {
  if (status === undefined || status.code === 0) return;
  throw new GrpcError(status.code as Status, status.message);
}

function checkCompression(expected: BoolValue | undefined, call: ServerCall): void {
  if (expected === undefined || expected.value === (call.requestCompression === "gzip")) return;
  throw new GrpcError(Status.INVALID_ARGUMENT, `the request came as ${call.requestCompression}`);
}

function compress(wanted: { readonly value: boolean } | undefined, call: ServerCall): void {
  if (wanted !== undefined) call.responseCompression = wanted.value ? "gzip" : "identity";
}
