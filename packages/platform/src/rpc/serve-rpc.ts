import type { DescService, Message, MessageInitShape, DescMessage } from "@bufbuild/protobuf";
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

import { toGrpcError } from "../errors/index.ts";
import type { Logger } from "../log/index.ts";
import type { Metrics } from "../metrics/index.ts";
import { peerCheck } from "./admit.ts";
import { readCall, type Call } from "./call.ts";
import type { Handlers } from "./handlers.ts";
import { createObserver, type Observer } from "./observe.ts";
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
  const calls = new WeakMap<ServerCall, Call>();
  const server = await serve({
    services: [serviceOf(options.service, implementation(options.service, options.handlers, calls))],
    host: options.host,
    port: options.port,
    interceptors: [interceptor(options, calls)],
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

function interceptor(
  { peerSecret, log, metrics }: { peerSecret: string; log: Logger; metrics: Metrics },
  calls: WeakMap<ServerCall, Call>,
): Interceptor {
  const checkPeer = peerCheck(peerSecret);
  const observer = createObserver(log, metrics);
  const admit = (serverCall: ServerCall): void => {
    checkPeer(serverCall);
    calls.set(serverCall, readCall(serverCall, log));
  };
  return {
    async unary(serverCall, next) {
      const watch = watchCall(observer, serverCall, calls);
      try {
        admit(serverCall);
        const answer = await next();
        watch.ended();
        return answer;
      } catch (error) {
        throw watch.failed(error);
      }
    },
    async *serverStream(serverCall, next): AsyncGenerator<Message> {
      const watch = watchCall(observer, serverCall, calls);
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

interface Watch {
  ended(): void;
  /** What to tell the client. */
  failed(error: unknown): GrpcError;
}

function watchCall(observer: Observer, serverCall: ServerCall, calls: WeakMap<ServerCall, Call>): Watch {
  const startedMs = performance.now();
  let told = false;
  const tell = (error: GrpcError | undefined): void => {
    if (told) return;
    told = true;
    observer.ended(serverCall, calls.get(serverCall), startedMs, error);
  };
  // A call that was cancelled ended in that, whatever its handler made of it.
  const cancellation = (cause: unknown): GrpcError | undefined => {
    const reason: unknown = serverCall.signal.reason;
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

/** The handlers, with what the interceptor read of the call in place of the bare one. */
function implementation<S extends DescService>(
  service: S,
  handlers: Handlers<S>,
  calls: WeakMap<ServerCall, Call>,
): ServiceImpl<S> {
  const byName = handlers as unknown as Readonly<Record<string, AnyHandler | undefined>>;
  const methods = service.methods.flatMap(({ localName }) => {
    const handler = byName[localName];
    if (handler === undefined) return [];
    return [
      [localName, (request: Message, serverCall: ServerCall) => handler(request, known(calls, serverCall))],
    ];
  });
  return Object.fromEntries(methods) as ServiceImpl<S>;
}

function known(calls: WeakMap<ServerCall, Call>, serverCall: ServerCall): Call {
  const call = calls.get(serverCall);
  if (call === undefined) throw new Error(`${serverCall.path} was not admitted`);
  return call;
}
