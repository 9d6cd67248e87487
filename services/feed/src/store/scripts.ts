import { readFileSync } from "node:fs";
import { createRedisScript, type RedisScript } from "@chirrup/platform";

const scripts = new Map<string, RedisScript>();

/** `lua/<name>.lua`, with what all scripts share in front of it, for a Redis that is a cluster or is not. Read once. */
export function readScript(name: string, inCluster: boolean): RedisScript {
  const key = `${name} ${inCluster}`;
  const script = scripts.get(key) ?? read(name, inCluster);
  scripts.set(key, script);
  return script;
}

function read(name: string, inCluster: boolean): RedisScript {
  const parts = ["timeline", name].map((part) => readFileSync(luaFile(part), "utf8"));
  return createRedisScript([`local in_cluster = ${inCluster}`, ...parts].join("\n"));
}

// The same distance from src/store and from dist/store.
function luaFile(name: string): URL {
  return new URL(`../../lua/${name}.lua`, import.meta.url);
}
