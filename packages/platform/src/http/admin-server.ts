import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

import type { Readiness } from "../lifecycle/index.ts";
import type { Logger } from "../log/index.ts";
import type { Metrics } from "../metrics/index.ts";

export type AdminRoute = (request: IncomingMessage, response: ServerResponse) => void | Promise<void>;

export interface AdminServerOptions {
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
  readonly readiness: Readiness;
  readonly metrics: Metrics;
  readonly log: Logger;
  /** More routes by exact path; GET and HEAD only. */
  readonly routes?: Readonly<Record<string, AdminRoute>>;
}

export interface AdminServer {
  readonly port: number;
  /** Stops listening, and ends requests in progress after a second. */
  close(): Promise<void>;
}

const closeGraceMs = 1_000;

/**
 * Serves what probes and scrapers ask for: `/healthz` (200 while the process turns its loop), `/readyz` (200 or 503,
 * with the state of each check as JSON) and `/metrics` (Prometheus text). Rejects when it cannot listen.
 */
export async function startAdminServer(options: AdminServerOptions): Promise<AdminServer> {
  const { readiness, metrics, log } = options;
  const routes = new Map<string, AdminRoute>([
    ...Object.entries(options.routes ?? {}),
    ["/healthz", (_, response) => sendJson(response, 200, { status: "ok" })],
    [
      "/readyz",
      (_, response) => {
        const report = readiness.report();
        sendJson(response, report.ready ? 200 : 503, report);
      },
    ],
    [
      "/metrics",
      async (_, response) => {
        const text = await metrics.registry.metrics();
        response.writeHead(200, { "content-type": metrics.registry.contentType }).end(text);
      },
    ],
  ]);

  const server = createServer((request, response) => {
    answer(routes, request, response).catch((err: unknown) => {
      log.error({ err, path: pathOf(request) }, "admin request failed");
      if (response.headersSent) response.destroy();
      else sendJson(response, 500, { error: "internal error" });
    });
  });
  await listen(server, options.host, options.port);
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

function sendJson(response: ServerResponse, status: number, body: unknown): void {
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
