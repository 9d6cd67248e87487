import { readFileSync } from "node:fs";
import { createRedisScript, type RedisScript } from "@chirrup/platform";

/** Reads `lua/<name>.lua`, with what all scripts share in front of it. */
export function readScript(name: string): RedisScript {
  return createRedisScript(["timeline", name].map((part) => readFileSync(luaFile(part), "utf8")).join("\n"));
}

// The same distance from src/store and from dist/store.
function luaFile(name: string): URL {
  return new URL(`../../lua/${name}.lua`, import.meta.url);
}
