import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import type { Redis } from "ioredis";

export type ScriptArgument = string | number | Buffer;

/** Runs a script on a connection. Atomic on the server; one round trip, two when Redis does not know it yet. */
export type Script = (
  redis: Redis,
  keys: readonly string[],
  args: readonly ScriptArgument[],
) => Promise<unknown>;

/** Reads a Lua script. Its file says what KEYS, ARGV and the reply are. */
export function loadScript(file: URL): Script {
  const lua = readFileSync(file, "utf8");
  const sha = createHash("sha1").update(lua).digest("hex");
  return async (redis, keys, args) => {
    try {
      return await redis.evalsha(sha, keys.length, ...keys, ...args);
    } catch (error) {
      // A restarted Redis has forgotten its scripts; nothing of this one has run.
      if (!(error instanceof Error) || !error.message.startsWith("NOSCRIPT")) throw error;
      return redis.eval(lua, keys.length, ...keys, ...args);
    }
  };
}
