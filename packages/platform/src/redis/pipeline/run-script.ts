import { createHash } from "node:crypto";
import { encodeCommand } from "./encode-command.ts";
import type { RedisPipeline } from "./open-redis-pipeline.ts";
import { RedisError, type Reply } from "./reply-parser.ts";
import { slotOf } from "./slot.ts";

/** A Lua script. */
export interface RedisScript {
  readonly source: string;
  readonly sha1: string;
}

/** One run of a script. All keys are of one hash slot; at least one. */
export interface ScriptRun {
  readonly keys: readonly [string, ...string[]];
  readonly args: readonly (string | number | bigint)[];
}

export function createRedisScript(source: string): RedisScript {
  return { source, sha1: createHash("sha1").update(source).digest("hex") };
}

/**
 * Runs a script once for each of `runs`, pipelined, and gives the replies in their order; errors are values. A server
 * that does not know the script (it restarted, or forgot) is sent its source with those runs.
 */
export async function runRedisScript(
  pipeline: RedisPipeline,
  { source, sha1 }: RedisScript,
  runs: readonly ScriptRun[],
): Promise<Reply[]> {
  const send = (items: readonly ScriptRun[], command: "EVAL" | "EVALSHA", script: string): Promise<Reply[]> =>
    pipeline.run({
      size: items.length,
      slot: (at) => slotOf(items[at]?.keys[0] ?? ""),
      encode(at) {
        const { keys, args } = items[at] ?? { keys: [], args: [] };
        return encodeCommand([command, script, keys.length, ...keys, ...args]);
      },
    });
  const replies = await send(runs, "EVALSHA", sha1);
  const unknown = replies.flatMap((reply, at) =>
    reply instanceof RedisError && reply.message.startsWith("NOSCRIPT") ? [at] : [],
  );
  if (unknown.length > 0) {
    const repeated = await send(
      unknown.flatMap((at) => runs[at] ?? []),
      "EVAL",
      source,
    );
    unknown.forEach((at, position) => (replies[at] = repeated[position] ?? null));
  }
  return replies;
}
