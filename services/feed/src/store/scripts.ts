import { readFileSync } from "node:fs";
import { createRedisScript, type RedisScript } from "@chirrup/platform";

/** Reads `lua/<name>.lua`, with what all scripts share in front of it, for a Redis that is a cluster or is not. */
export function readScript(name: string, inCluster: boolean): RedisScript {
  const parts = ["timeline", name].map((part) => readFileSync(luaFile(part), "utf8"));
  return createRedisScript([`local in_cluster = ${inCluster}`, ...parts].join("\n"));
}

// The same distance from src/store and from dist/store.
function luaFile(name: string): URL {
  return new URL(`../../lua/${name}.lua`, import.meta.url);
}
