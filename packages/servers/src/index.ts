export { findRedisServer, startRedis, type RedisOptions, type RedisServer } from "./redis.ts";
export { freePort, portIsFree } from "./ports.ts";
export { postgresBinDir } from "./postgres-binaries.ts";
export { initPostgres, startPostgres, type PostgresOptions, type PostgresServer } from "./postgres.ts";
export { isAlive, startProcess, type ExitInfo, type ProcessOptions, type RunningProcess } from "./process.ts";
export { runsAs, type Identity } from "./identity.ts";
