import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

import type { Logger } from "../log/index.ts";

export type AdminRoute = (request: IncomingMessage, response: ServerResponse) => void | Promise<void>;

export interface AdminServer {
  readonly port: number;
  /** Stops listening, and ends requests in progress after a second. */
  close(): Promise<void>;
}

interface RoutesOptions {
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
  /** By exact path; GET and HEAD only. */
  readonly routes: ReadonlyMap<string, AdminRoute>;
  readonly log: Logger;
}

const closeGraceMs = 1_000;

/** Has a server answer a few fixed paths. Rejects when it cannot listen. */
export async function serveRoutes(server: Server, options: RoutesOptions): Promise<AdminServer> {
  const { host, port, routes, log } = options;
  server.on("request", (request: IncomingMessage, response: ServerResponse) => {
    answer(routes, request, response).catch((err: unknown) => {
      log.error({ err, path: pathOf(request) }, "admin request failed");
      if (response.headersSent) response.destroy();
      else sendJson(response, 500, { error: "internal error" });
    });
  });
  await listen(server, host, port);
  return {
    port: (server.address() as AddressInfo).port,
    close: () => close(server),
  };
}

async function answer(
  routes: ReadonlyMap<string, AdminRoute>,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const route = routes.get(pathOf(request));
  if (route === undefined) return sendJson(response, 404, { error: "not found" });
  if (request.method !== "GET" && request.method !== "HEAD") {
    response.setHeader("allow", "GET, HEAD");
    return sendJson(response, 405, { error: "method not allowed" });
  }
  return route(request, response);
}

function pathOf(request: IncomingMessage): string {
  return (request.url ?? "/").split("?", 1)[0] ?? "/";
}

/** A small answer that nothing may keep. */
export function sendJson(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { "content-type": "application/json", "cache-control": "no-store" });
  response.end(`${JSON.stringify(body)}\n`);
}

async function listen(server: Server, host: string, port: number): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once("error", reject);
  server.listen(port, host, resolve);
  await promise;
  server.off("error", reject);
}

async function close(server: Server): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  // Its error says that the server was closed already, which is what was asked for.
  server.close(() => resolve());
  server.closeIdleConnections();
  const forced = setTimeout(() => server.closeAllConnections(), closeGraceMs);
  await promise;
  clearTimeout(forced);
}
