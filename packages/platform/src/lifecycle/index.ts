export { openServiceDatabase, type ServiceDatabase } from "./open-service-database.ts";
export { createReadiness, type Readiness, type ReadinessReport } from "./readiness.ts";
export { runService, type Lifecycle, type RunServiceOptions } from "./run-service.ts";
export { runTask, type RunTaskOptions } from "./run-task.ts";
