export { testLog } from "./log.ts";
export { testPostgres, type TestPostgres } from "./postgres.ts";
export { startPostgresPair, type PairUrls, type PostgresPair } from "./postgres-pair.ts";
export { testRedis } from "./redis.ts";
export { waitFor, type WaitOptions } from "./wait-for.ts";
export { createAuthority, type Authority } from "./authority.ts";
