export { openRedis, type OpenRedisOptions, type Redis } from "./open-redis.ts";
