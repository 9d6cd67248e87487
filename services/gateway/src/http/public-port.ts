import { createServer, type RequestListener, type ServerOptions } from "node:http";
import {
  createServer as createSecureServer,
  type Server as HttpsServer,
  type ServerOptions as SecureServerOptions,
} from "node:https";
import type { AddressInfo, Server as NetServer, Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import { unexpected } from "../errors/failure.ts";
import { maxHeaderBytes, type Bounds } from "./bounds.ts";
import { createHttp2, type Serve } from "./http2.ts";
import type { PublicTls } from "./public-tls.ts";
import { refuseSocket } from "./refuse-socket.ts";

export interface PublicPortOptions {
  readonly host: string;
  /** 0 takes any free one. */
  readonly port: number;
  /** Undefined: no TLS. */
  readonly tls: PublicTls | undefined;
  /** Requests under way on one HTTP/2 connection; 0 serves HTTP/1.1 only. */
  readonly http2Streams: number;
  readonly bounds: Bounds;
  readonly serve: Serve;
}

export interface PublicPort {
  readonly port: number;
  /** Stops accepting, lets requests in flight finish within `graceMs`, then ends their connections. */
  close(graceMs: number): Promise<void>;
}

/**
 * Serves HTTP/1.1 and HTTP/2 on one port: with TLS by what ALPN agreed on, without by the first bytes (RFC 9113 section
 * 3.3, prior knowledge). Rejects when it cannot listen.
 */
export async function openPublicPort(options: PublicPortOptions): Promise<PublicPort> {
  const { tls, http2Streams, bounds, serve } = options;
  const http2 = http2Streams > 0 ? createHttp2({ maxStreams: http2Streams, bounds, serve }) : undefined;
  const serveHttp1: RequestListener = (request, response) => serve(request, response);
  const http1Options: ServerOptions = {
    maxHeaderSize: maxHeaderBytes,
    headersTimeout: bounds.headMs,
    requestTimeout: bounds.requestMs,
    keepAliveTimeout: bounds.idleMs,
    connectionsCheckingInterval: bounds.sweepMs,
  };
  const server =
    tls === undefined
      ? createServer(http1Options, serveHttp1)
      : createTlsServer(
          tls,
          {
            ...http1Options,
            handshakeTimeout: bounds.headMs,
            ALPNProtocols: http2 === undefined ? ["http/1.1"] : ["h2", "http/1.1"],
          },
          serveHttp1,
        );
  server.on("checkExpectation", (request, response) => serve(request, response, unexpected()));
  server.on("clientError", refuseSocket);

  const undecided = new Set<Socket>();
  if (http2 !== undefined) {
    choose(server, tls === undefined ? "connection" : "secureConnection", (socket, useHttp1) => {
      if (tls === undefined) {
        byFirstBytes(socket, { undecided, withinMs: bounds.headMs }, (isHttp2) =>
          isHttp2 ? http2.serve(socket) : useHttp1(socket),
        );
      } else if ((socket as TLSSocket).alpnProtocol === "h2") http2.serve(socket);
      else useHttp1(socket);
    });
  }
  await listen(server, options);
  return {
    port: (server.address() as AddressInfo).port,
    async close(graceMs) {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeIdleConnections();
      for (const socket of undecided) socket.destroy();
      http2?.drain(graceMs);
      const forced = setTimeout(() => server.closeAllConnections(), graceMs);
      await closed;
      clearTimeout(forced);
    },
  };
}

function createTlsServer(
  tls: PublicTls,
  options: SecureServerOptions,
  serveHttp1: RequestListener,
): HttpsServer {
  const server = createSecureServer({ ...options, ...tls.certificate, minVersion: "TLSv1.2" }, serveHttp1);
  tls.follow((certificate) => server.setSecureContext(certificate));
  return server;
}

/** Lets `chosen` decide over each connection, in place of the server, whose own way with it is given along. */
function choose(
  server: NetServer,
  event: "connection" | "secureConnection",
  chosen: (socket: Socket, own: (socket: Socket) => void) => void,
): void {
  const listeners = server.listeners(event);
  server.removeAllListeners(event);
  server.on(event, (socket: Socket) => {
    chosen(socket, () => {
      for (const listener of listeners) listener.call(server, socket);
    });
  });
}

/** What HTTP/2's preface begins with, and no method of HTTP/1.1. A client sends it in one piece. */
const prefaceStart = "PRI";

function byFirstBytes(
  socket: Socket,
  { undecided, withinMs }: { readonly undecided: Set<Socket>; readonly withinMs: number },
  decided: (isHttp2: boolean) => void,
): void {
  undecided.add(socket);
  const end = (): void => void socket.destroy();
  const forget = (): void => {
    undecided.delete(socket);
    socket.setTimeout(0);
    socket.off("timeout", end).off("error", end).off("close", forget).off("readable", decide);
  };
  const decide = (): void => {
    const chunk = socket.read() as Buffer | null;
    if (chunk === null) return;
    forget();
    socket.unshift(chunk);
    decided(chunk.toString("latin1", 0, prefaceStart.length) === prefaceStart);
  };
  socket.setTimeout(withinMs, end);
  socket.on("error", end).on("close", forget).on("readable", decide);
}

async function listen(server: NetServer, { host, port }: PublicPortOptions): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once("error", reject);
  server.listen(port, host, resolve);
  await promise;
  server.off("error", reject);
}
