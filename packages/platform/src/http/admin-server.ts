import { createServer } from "node:http";

import type { Readiness } from "../lifecycle/index.ts";
import type { Logger } from "../log/index.ts";
import type { Metrics } from "../metrics/index.ts";
import { type AdminRoute, type AdminServer, sendJson, serveRoutes } from "./routes.ts";

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

  return serveRoutes(createServer(), { host: options.host, port: options.port, routes, log });
}
