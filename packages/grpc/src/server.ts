import {
  Server as WireServer,
  ServerCredentials,
  type ServiceDefinition as WireServiceDefinition,
  type UntypedServiceImplementation,
} from "@grpc/grpc-js";

import type { Health } from "./health.ts";
import { serverStreamHandler, unaryHandler } from "./server-handlers.ts";
import { pathOf, type Interceptor, type ServiceDefinition } from "./service.ts";
import { defaultMaxMessageBytes, fromBuffer, toBuffer } from "./wire.ts";

export interface ServeOptions {
  readonly services: readonly ServiceDefinition[];
  /** A name or address of this machine, "127.0.0.1". */
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
  /** The first is the outermost. Default: none. They wrap the health service too. */
  readonly interceptors?: readonly Interceptor[];
  /** Limit of a message in either direction, RESOURCE_EXHAUSTED above it. Default: 4 MiB. */
  readonly maxMessageBytes?: number;
  /** Served as `grpc.health.v1.Health`; told to shut down when the server closes. Default: none. */
  readonly health?: Health;
}

export interface Server {
  readonly port: number;
  /**
   * Takes no new connection and no new call, lets those that run end within `graceMs`, then cancels them. Resolves
   * when every connection is closed. Calling it again joins the first.
   */
  close(graceMs: number): Promise<void>;
}

/** Listens without encryption. Rejects when it cannot listen there. */
export async function serve(options: ServeOptions): Promise<Server> {
  const maxBytes = options.maxMessageBytes ?? defaultMaxMessageBytes;
  const server = new WireServer({
    "grpc.max_receive_message_length": maxBytes,
    // The limit is checked before grpc-js sees the message.
    "grpc.max_send_message_length": -1,
    // Finds clients whose machine is gone, which would hold their streams open.
    "grpc.keepalive_time_ms": 60_000,
    "grpc.keepalive_timeout_ms": 20_000,
    "grpc.enable_channelz": 0,
  });
  const services =
    options.health === undefined ? options.services : [...options.services, options.health.definition];
  for (const service of services) addService(server, service, options.interceptors ?? [], maxBytes);
  const port = await listen(server, addressOf(options.host, options.port));
  let closing: Promise<void> | undefined;
  return {
    port,
    close(graceMs) {
      closing ??= (async () => {
        options.health?.shutdown();
        await closeGracefully(server, addressOf(options.host, port), graceMs);
      })();
      return closing;
    },
  };
}

function addService(
  server: WireServer,
  service: ServiceDefinition,
  interceptors: readonly Interceptor[],
  maxBytes: number,
): void {
  const definition: Record<string, WireServiceDefinition[string]> = {};
  const handlers: UntypedServiceImplementation = {};
  for (const implementation of service.methods) {
    const { method, kind } = implementation;
    definition[method.name] = {
      path: pathOf(method),
      requestStream: false,
      responseStream: kind === "server_streaming",
      requestSerialize: toBuffer,
      requestDeserialize: fromBuffer,
      responseSerialize: toBuffer,
      responseDeserialize: fromBuffer,
    };
    handlers[method.name] =
      kind === "unary"
        ? unaryHandler(implementation, interceptors, maxBytes)
        : serverStreamHandler(implementation, interceptors, maxBytes);
  }
  server.addService(definition, handlers);
}

function addressOf(host: string, port: number): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

async function listen(server: WireServer, address: string): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  server.bindAsync(address, ServerCredentials.createInsecure(), (error, bound) => {
    if (error === null) resolve(bound);
    else reject(new Error(`cannot listen on ${address}: ${error.message}`, { cause: error }));
  });
  return promise;
}

/**
 * Why `drain` and not `forceShutdown`: without channelz the latter destroys no session (grpc-js 1.14), and calls that
 * do not end by themselves would be waited for without end. It goes first, for `tryShutdown` hides the sessions from it.
 */
async function closeGracefully(server: WireServer, address: string, graceMs: number): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.drain(address, graceMs);
  server.tryShutdown((error) => (error === undefined ? resolve() : reject(error)));
  await promise;
}
