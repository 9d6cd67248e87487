export {
  startAdminServer,
  type AdminRoute,
  type AdminServer,
  type AdminServerOptions,
} from "./admin-server.ts";
