export { migrate, platformMigrations } from "./migrate.ts";
export { openPostgres } from "./open-postgres.ts";
export type { Postgres, Query, Queryable } from "./open-postgres.ts";
export { isUniqueViolation } from "./postgres-errors.ts";
