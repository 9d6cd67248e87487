import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import type { Redis } from "@chirrup/platform";

/** A Lua script that runs on one timeline. */
export interface Script {
  readonly source: string;
  readonly sha1: string;
}

/** One run of a script. */
export interface Run {
  readonly key: string;
  readonly args: readonly (string | number)[];
}

/** Reads `lua/<name>.lua`, with what all scripts share in front of it. */
export function readScript(name: string): Script {
  const source = ["timeline", name].map((part) => readFileSync(luaFile(part), "utf8")).join("\n");
  return { source, sha1: createHash("sha1").update(source).digest("hex") };
}

// The same distance from src/store and from dist/store.
function luaFile(name: string): URL {
  return new URL(`../../lua/${name}.lua`, import.meta.url);
}

/**
 * Runs a script once for each of `runs` in one round trip, and gives the replies in their order. When the
 * server does not know the script (it restarted, or forgot), loads it and repeats those runs.
 *
 * Throws the first error of any run; the others may have been done.
 */
export async function runScript(redis: Redis, script: Script, runs: readonly Run[]): Promise<unknown[]> {
  const replies = await pipeline(redis, script, runs);
  const unknown = replies.flatMap(([error], index) => (isNoScript(error) ? [index] : []));
  if (unknown.length > 0) {
    await redis.script("LOAD", script.source);
    const repeated = await pipeline(
      redis,
      script,
      runs.filter((_, index) => isNoScript(replies[index]?.[0])),
    );
    unknown.forEach((index, position) => {
      const reply = repeated[position];
      if (reply !== undefined) replies[index] = reply;
    });
  }
  return replies.map(([error, reply]) => {
    if (error !== null) throw error;
    return reply;
  });
}

type Reply = [error: Error | null, reply: unknown];

async function pipeline(redis: Redis, { sha1 }: Script, runs: readonly Run[]): Promise<Reply[]> {
  const commands = redis.pipeline();
  for (const { key, args } of runs) commands.evalsha(sha1, 1, key, ...args);
  return (await commands.exec()) ?? [];
}

function isNoScript(error: Error | null | undefined): boolean {
  return error?.message.startsWith("NOSCRIPT") ?? false;
}
