export { migrate, platformMigrations } from "./migrate.ts";
export {
  type Database,
  openDatabase,
  readsOf,
  type Reads,
  type ReadTerms,
  type WriteTokens,
} from "./open-database.ts";
export { openPostgres } from "./open-postgres.ts";
export type { Postgres, Query, Queryable } from "./open-postgres.ts";
export { isUniqueViolation } from "./postgres-errors.ts";
