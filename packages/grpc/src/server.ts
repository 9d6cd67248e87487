import { once } from "node:events";
import { createServer, type AddressInfo, type Server as NetServer, type Socket } from "node:net";
import { createServer as createTlsServer, Server as TlsServer } from "node:tls";

import type { Health } from "./health.ts";
import { reflectionOf } from "./reflection.ts";
import type { Interceptor, ServiceDefinition } from "./service.ts";
import { methodsByPath } from "./serving/methods.ts";
import { ServerConnection, type ServerConnectionOptions } from "./serving/server-connection.ts";
import type { TlsServerOptions } from "./tls.ts";

const defaultMaxMessageBytes = 4_194_304;
const defaultMaxConcurrentStreams = 1_000;
const defaultAgeGraceMs = 10_000;

export interface ServeOptions {
  readonly services: readonly ServiceDefinition[];
  /** A name or address of this machine, "127.0.0.1". */
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
  /** The first is the outermost. Default: none. They wrap the health and the reflection service too. */
  readonly interceptors?: readonly Interceptor[];
  /** Limit of a message in either direction, RESOURCE_EXHAUSTED above it. Default: 4 MiB. */
  readonly maxMessageBytes?: number;
  /** Served as `grpc.health.v1.Health`; told to shut down when the server closes. Default: none. */
  readonly health?: Health;
  /** Whether `grpc.reflection.v1.ServerReflection` tells of all services, to whom the interceptors let. Default: false. */
  readonly reflection?: boolean;
  /** TLS. Default: no encryption. */
  readonly tls?: TlsServerOptions;
  /** Calls at once over one connection; a client queues the others. Default: 1,000. */
  readonly maxConcurrentStreams?: number;
  /**
   * A connection of this age, give or take a tenth, is ended as `close` does it, so that clients spread anew over the
   * servers behind a name. Default: none.
   */
  readonly maxConnectionAgeMs?: number;
  /** How long its calls may go on then. Default: 10,000. */
  readonly maxConnectionAgeGraceMs?: number;
}

export interface Server {
  readonly port: number;
  /**
   * Takes no new connection and no new call, lets those that run end within `graceMs`, then cancels them. Resolves
   * when every connection is closed. Calling it again joins the first.
   */
  close(graceMs: number): Promise<void>;
  /** Takes another certificate, key and authorities for connections that come from now on. Only with `tls`. */
  renewTls(tls: TlsServerOptions): void;
}

/** Rejects when it cannot listen there. */
export async function serve(options: ServeOptions): Promise<Server> {
  const named =
    options.health === undefined ? options.services : [...options.services, options.health.definition];
  const services = options.reflection === true ? [...named, reflectionOf(named)] : named;
  const connections = new Set<ServerConnection>();
  let draining = false;
  const connectionOptions: ServerConnectionOptions = {
    methods: methodsByPath(services, options.interceptors ?? []),
    maxBytes: options.maxMessageBytes ?? defaultMaxMessageBytes,
    maxConcurrentStreams: options.maxConcurrentStreams ?? defaultMaxConcurrentStreams,
    onOver: (connection) => connections.delete(connection),
  };
  const accept = (socket: Socket): void => {
    const connection = new ServerConnection(socket, connectionOptions);
    connections.add(connection);
    if (draining) connection.drain();
    else limitAge(connection, options);
  };
  const listener = options.tls === undefined ? createServer(accept) : tlsListener(options.tls, accept);
  await listen(listener, options.host, options.port);
  const { port } = listener.address() as AddressInfo;
  let closing: Promise<void> | undefined;

  const close = async (graceMs: number): Promise<void> => {
    options.health?.shutdown();
    draining = true;
    const closed = once(listener, "close");
    listener.close();
    for (const connection of connections) connection.drain();
    const force = setTimeout(() => {
      for (const connection of connections) connection.stop();
    }, graceMs);
    await closed;
    clearTimeout(force);
  };
  return {
    port,
    async close(graceMs) {
      closing ??= close(graceMs);
      return closing;
    },
    renewTls({ cert, key, ca }) {
      if (!(listener instanceof TlsServer)) throw new Error("the server was started without TLS");
      listener.setSecureContext({ cert, key, ...(ca === undefined ? {} : { ca }), minVersion });
    },
  };
}

function limitAge(connection: ServerConnection, options: ServeOptions): void {
  const { maxConnectionAgeMs, maxConnectionAgeGraceMs = defaultAgeGraceMs } = options;
  if (maxConnectionAgeMs === undefined) return;
  // Connections that were made at once should not end at once.
  setTimeout(
    () => {
      connection.drain();
      setTimeout(() => connection.stop(), maxConnectionAgeGraceMs).unref();
    },
    maxConnectionAgeMs * (0.9 + Math.random() * 0.2),
  ).unref();
}

const minVersion = "TLSv1.2";

function tlsListener(tls: TlsServerOptions, accept: (socket: Socket) => void): NetServer {
  return createTlsServer(
    {
      ...tls,
      ALPNProtocols: ["h2"],
      minVersion,
      requestCert: tls.ca !== undefined,
      rejectUnauthorized: tls.ca !== undefined,
    },
    accept,
  );
}

async function listen(listener: NetServer, host: string, port: number): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const failed = (cause: Error): void => {
    const where = host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
    reject(new Error(`cannot listen on ${where}: ${cause.message}`, { cause }));
  };
  listener.once("error", failed);
  listener.listen({ host, port }, () => {
    listener.off("error", failed);
    // Errors of accepting are of one connection: too many open files, say. The next may be taken.
    listener.on("error", () => {});
    resolve();
  });
  await promise;
}
