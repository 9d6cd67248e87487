import { encodeCommand, type RedisArgs, createRedisScript } from "@chirrup/platform";
import { nextPostId } from "./fill.ts";
import { timelineSize } from "./shapes.ts";
import type { Stage } from "./stage.ts";

/** A way to keep a timeline, with the command of a push; all over the same client. */
export interface Structure {
  readonly name: string;
  readonly keyPrefix: string;
  push(key: string, postId: bigint): RedisArgs;
}

const packed = `
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
return redis.call('APPEND', KEYS[1], ARGV[1])`;
const library = `#!lua name=bench
redis.register_function('bench_push', function(keys, args)
  if redis.call('EXISTS', keys[1]) == 0 then return 0 end
  return redis.call('APPEND', keys[1], args[1])
end)`;
const script = createRedisScript(packed);
/** As text: what is appended counts, not what it says. */
const eight = (postId: bigint): string => String(postId).slice(-8);

export const structures: readonly Structure[] = [
  { name: "list", keyPrefix: "s-list:", push: (key, id) => ["RPUSHX", key, id] },
  { name: "zset-tree", keyPrefix: "s-tree:", push: (key, id) => ["ZADD", key, id >> 22n, id] },
  { name: "zset-listpack", keyPrefix: "s-pack:", push: (key, id) => ["ZADD", key, id >> 22n, id] },
  {
    name: "packed-script",
    keyPrefix: "s-script:",
    push: (key, id) => ["EVALSHA", script.sha1, 1, key, eight(id)],
  },
  {
    name: "packed-function",
    keyPrefix: "s-func:",
    push: (key, id) => ["FCALL", "bench_push", 1, key, eight(id)],
  },
];

export async function prepareStructures({ redis }: Stage, keys: number): Promise<Map<string, number>> {
  await redis.call("", ["SCRIPT", "LOAD", packed]);
  await redis.call("", ["FUNCTION", "LOAD", "REPLACE", library]);
  const bytes = new Map<string, number>();
  for (const { name, keyPrefix, push } of structures) {
    const limit = name === "zset-listpack" ? 100_000 : 128;
    await redis.call("", ["CONFIG", "SET", "zset-max-listpack-entries", limit]);
    const model = `${keyPrefix}{model}`;
    if (name.startsWith("packed")) await redis.call(model, ["SET", model, ""]);
    if (name === "list") await redis.call(model, ["RPUSH", model, 1]);
    for (let entry = 0; entry < timelineSize; entry += 1) await redis.call(model, push(model, nextPostId()));
    if (name === "list") await redis.call(model, ["LPOP", model]);
    bytes.set(name, Number(await redis.call(model, ["MEMORY", "USAGE", model])));
    for (let key = 0; key < keys; key += 1) await redis.call("", ["COPY", model, `${keyPrefix}{${key}}`]);
  }
  // Each keeps the form that it was made in; the larger limit lets the listpack stay one.
  await redis.call("", ["CONFIG", "SET", "zset-max-listpack-entries", 100_000]);
  return bytes;
}

/** Redis's CPU µs for each push, of one push to each of some keys at a time. */
export async function measureStructure(
  stage: Stage,
  { keyPrefix, push }: Structure,
  keys: number,
  posts: number,
): Promise<number> {
  const before = await stage.redisCpuUs();
  for (let post = 0; post < posts; post += 1) {
    const postId = nextPostId();
    await stage.redis.run({
      size: keys,
      slot: () => 0,
      encode: (at) => encodeCommand(push(`${keyPrefix}{${at}}`, postId)),
    });
  }
  return ((await stage.redisCpuUs()) - before) / (keys * posts);
}
