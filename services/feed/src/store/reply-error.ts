import { RedisError, type RedisReply } from "@chirrup/platform";

/** What is wrong with a reply that is not what was expected: Redis's own refusal, or that it is strange. */
export function replyError(reply: RedisReply | undefined): Error {
  return reply instanceof RedisError ? reply : new Error("redis gave a strange reply");
}
