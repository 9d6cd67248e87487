export { openRedis, type OpenRedisOptions, type Redis } from "./open-redis.ts";
export { type Args as RedisArgs, encodeArgs, encodeCommand } from "./pipeline/encode-command.ts";
export {
  type CommandBatch,
  openRedisPipeline,
  type OpenRedisPipelineOptions,
  type RedisPipeline,
} from "./pipeline/open-redis-pipeline.ts";
export { RedisError, type Reply as RedisReply } from "./pipeline/reply-parser.ts";
export {
  createRedisScript,
  type RedisScript,
  runRedisScript,
  type ScriptRun,
} from "./pipeline/run-script.ts";
export { slotOf, slotOfTag } from "./pipeline/slot.ts";
