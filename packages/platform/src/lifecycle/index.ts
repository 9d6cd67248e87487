export { createReadiness, type Readiness, type ReadinessReport } from "./readiness.ts";
export { runService, type Lifecycle, type RunServiceOptions } from "./run-service.ts";
