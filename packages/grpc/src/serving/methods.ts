import type { Message } from "@bufbuild/protobuf";

import {
  pathOf,
  type Interceptor,
  type MethodDefinition,
  type ServerCall,
  type ServiceDefinition,
} from "../service.ts";

/** What a request is to its implementation: bytes, or those of many. */
export type RequestBytes = Uint8Array | AsyncIterable<Uint8Array>;

/** A method with its interceptors around it. */
export interface Method {
  readonly path: string;
  readonly definition: MethodDefinition;
  /** For methods with one answer. */
  unary(call: ServerCall, request: RequestBytes): Promise<Message>;
  /** For methods with many. */
  stream(call: ServerCall, request: RequestBytes): AsyncIterable<Message>;
}

type RunUnary = (call: ServerCall, request: RequestBytes) => Promise<Message>;
type RunStream = (call: ServerCall, request: RequestBytes) => AsyncIterable<Message>;

/** The methods of all services by path. Throws TypeError for two of the same path. */
export function methodsByPath(
  services: readonly ServiceDefinition[],
  interceptors: readonly Interceptor[],
): ReadonlyMap<string, Method> {
  const methods = new Map<string, Method>();
  for (const definition of services.flatMap((service) => service.methods)) {
    const path = pathOf(definition.method);
    if (methods.has(path)) throw new TypeError(`${path} is served twice`);
    methods.set(path, {
      path,
      definition,
      unary: rejecting(wrapUnary(unaryOf(definition), interceptors)),
      stream: wrapStream(streamOf(definition), interceptors),
    });
  }
  return methods;
}

function unaryOf(definition: MethodDefinition): RunUnary {
  // The reader of the request makes the one that the kind of the method asks for.
  const run = definition.run as (request: RequestBytes, call: ServerCall) => Promise<Message>;
  return (call, request) => run(request, call);
}

function streamOf(definition: MethodDefinition): RunStream {
  const run = definition.run as (request: RequestBytes, call: ServerCall) => AsyncIterable<Message>;
  return (call, request) => run(request, call);
}

function wrapUnary(innermost: RunUnary, interceptors: readonly Interceptor[]): RunUnary {
  return interceptors.reduceRight<RunUnary>(
    (next, interceptor) => (call, request) => interceptor.unary(call, () => next(call, request)),
    innermost,
  );
}

/** An interceptor may throw before it has a promise to give. */
function rejecting(run: RunUnary): RunUnary {
  return (call, request) => {
    try {
      return run(call, request);
    } catch (error) {
      return Promise.reject(error);
    }
  };
}

function wrapStream(innermost: RunStream, interceptors: readonly Interceptor[]): RunStream {
  return interceptors.reduceRight<RunStream>(
    (next, interceptor) => (call, request) => interceptor.serverStream(call, () => next(call, request)),
    innermost,
  );
}
