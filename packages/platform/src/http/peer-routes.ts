import { createServer } from "node:https";

import type { Logger } from "../log/index.ts";
import type { PeerTls } from "../rpc/index.ts";
import { type AdminRoute, type AdminServer, serveRoutes } from "./routes.ts";

export interface PeerRoutesOptions {
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
  readonly tls: PeerTls;
  /** By exact path; GET and HEAD only. */
  readonly routes: Readonly<Record<string, AdminRoute>>;
  readonly log: Logger;
}

/** Serves paths by HTTPS to clients that have a certificate of this process's authority, and to nobody else. */
export async function servePeerRoutes(options: PeerRoutesOptions): Promise<AdminServer> {
  const { tls, routes } = options;
  const server = createServer({
    ...tls.server,
    minVersion: "TLSv1.2",
    requestCert: true,
    rejectUnauthorized: true,
  });
  tls.follow({ renewTls: (files) => server.setSecureContext({ ...files, minVersion: "TLSv1.2" }) });
  return serveRoutes(server, { ...options, routes: new Map(Object.entries(routes)) });
}
