export { startAdminServer, type AdminServerOptions } from "./admin-server.ts";
export { servePeerRoutes, type PeerRoutesOptions } from "./peer-routes.ts";
export type { AdminRoute, AdminServer } from "./routes.ts";
