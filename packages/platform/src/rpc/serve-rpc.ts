import {
  getOption,
  type DescMessage,
  type DescMethod,
  type DescService,
  type Message,
  type MessageInitShape,
} from "@bufbuild/protobuf";
import {
  createHealth,
  GrpcError,
  serve,
  serviceOf,
  type Interceptor,
  type Server,
  type ServerCall,
  type ServiceImpl,
} from "@chirrup/grpc";

import { http } from "@chirrup/proto/google/api/annotations";

import { toGrpcError } from "../errors/index.ts";
import type { Logger } from "../log/index.ts";
import type { Metrics } from "../metrics/index.ts";
import type { WriteTokens } from "../postgres/index.ts";
import { peerCheck } from "./admit.ts";
import { readCall, type Call } from "./call.ts";
import type { Handlers } from "./handlers.ts";
import { metadataKeys } from "./metadata-keys.ts";
import { createObserver, type Observer } from "./observe.ts";
import { createRequestRules } from "./request-rules.ts";
import type { PeerTls } from "./peer-tls.ts";

export interface ServeRpcOptions<S extends DescService> {
  readonly service: S;
  readonly handlers: Handlers<S>;
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
  /** Calls without it are refused with UNAUTHENTICATED, but for `grpc.health.v1`. */
  readonly peerSecret: string;
  /** Only peers with a certificate of its authority may connect. Default: anybody, in clear. */
  readonly tls?: PeerTls | undefined;
  /**
   * What makes the token that the answer of a public write carries (a method whose HTTP rule is no GET). Default: no
   * answer carries one.
   */
  readonly tokens?: WriteTokens | undefined;
  readonly log: Logger;
  readonly metrics: Metrics;
}

/**
 * Serves a service to its peers, with `grpc.health.v1` and `grpc.reflection.v1` beside it. A handler's DomainError
 * becomes its status with details, any other error INTERNAL; each call is measured and logged once, without its
 * messages.
 */
export async function serveRpc<S extends DescService>(options: ServeRpcOptions<S>): Promise<Server> {
  const health = createHealth();
  health.set(options.service.typeName, true);
  const server = await serve({
    services: [serviceOf(options.service, implementation(options.service, options.handlers))],
    host: options.host,
    port: options.port,
    interceptors: [interceptor(options)],
    health,
    reflection: true,
    ...(options.tls === undefined ? {} : { tls: options.tls.server }),
  });
  options.tls?.follow(server);
  options.log.info(
    { host: options.host, port: server.port, rpcService: options.service.typeName },
    "serving rpcs",
  );
  return server;
}

type Interception = Pick<
  ServeRpcOptions<DescService>,
  "service" | "peerSecret" | "tokens" | "log" | "metrics"
>;

function interceptor({ service, peerSecret, tokens, log, metrics }: Interception): Interceptor {
  const checkPeer = peerCheck(peerSecret);
  const writes = new Set(tokens === undefined ? [] : service.methods.filter(isPublicWrite));
  const observer = createObserver(log, metrics);
  const admit = (serverCall: ServerCall): void => {
    checkPeer(serverCall);
    serverCall.attachment = readCall(serverCall, log);
  };
  return {
    async unary(serverCall, next) {
      const watch = watchCall(observer, serverCall);
      try {
        admit(serverCall);
        const answer = await next();
        if (tokens !== undefined && writes.has(serverCall.method)) {
          serverCall.responseHeaders.set(metadataKeys.consistency, await tokens.afterWrite());
        }
        watch.ended();
        return answer;
      } catch (error) {
        throw watch.failed(error);
      }
    },
    async *serverStream(serverCall, next): AsyncGenerator<Message> {
      const watch = watchCall(observer, serverCall);
      try {
        admit(serverCall);
        yield* next();
      } catch (error) {
        throw watch.failed(error);
      } finally {
        // Also when the client left, which returns the generator.
        watch.ended();
      }
    },
  };
}

/** HTTP calls GET safe: a caller asks for nothing to be changed (RFC 9110 section 9.2.1). */
function isPublicWrite(method: DescMethod): boolean {
  const { case: verb } = getOption(method, http).pattern;
  return verb !== undefined && verb !== "get";
}

interface Watch {
  ended(): void;
  /** What to tell the client. */
  failed(error: unknown): GrpcError;
}

function watchCall(observer: Observer, serverCall: ServerCall): Watch {
  const startedMs = performance.now();
  let told = false;
  const tell = (error: GrpcError | undefined): void => {
    if (told) return;
    told = true;
    observer.ended(serverCall, callOf(serverCall), startedMs, error);
  };
  // A call that was cancelled ended in that, whatever its handler made of it.
  const cancellation = (cause: unknown): GrpcError | undefined => {
    const { reason } = serverCall.cancellation;
    return reason instanceof GrpcError ? new GrpcError(reason.code, reason.message, { cause }) : undefined;
  };
  return {
    ended: () => tell(cancellation(undefined)),
    failed(error) {
      const shown = cancellation(error) ?? toGrpcError(error);
      tell(shown);
      return shown;
    },
  };
}

type AnyHandler = (request: Message, call: Call) => Promise<MessageInitShape<DescMessage>>;

/** The handlers, behind the rules of their requests, with what the interceptor read of the call in place of the bare one. */
function implementation<S extends DescService>(service: S, handlers: Handlers<S>): ServiceImpl<S> {
  const byName = handlers as unknown as Readonly<Record<string, AnyHandler | undefined>>;
  const rules = createRequestRules(service);
  const methods = service.methods.flatMap(({ localName, input }) => {
    const handler = byName[localName];
    if (handler === undefined) return [];
    const checked = (request: Message, serverCall: ServerCall): ReturnType<AnyHandler> => {
      rules.check(input, request);
      return handler(request, admitted(serverCall));
    };
    return [[localName, checked]];
  });
  return Object.fromEntries(methods) as ServiceImpl<S>;
}

/**
 * What the interceptor has read of a call; undefined before. *Why on the call itself:* a WeakMap that has grown old keeps
 * every value alive until the old heap is collected, and the call with it.
 */
function callOf({ attachment }: ServerCall): Call | undefined {
  return attachment as Call | undefined;
}

function admitted(serverCall: ServerCall): Call {
  const call = callOf(serverCall);
  if (call === undefined) throw new Error(`${serverCall.path} was not admitted`);
  return call;
}
