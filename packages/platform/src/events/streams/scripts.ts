import { loadScript, type Script } from "./script.ts";

// Three levels up from src/events/streams and from dist/events/streams: the compiler ships no Lua.
const load = (name: string): Script =>
  loadScript(new URL(`../../../lua/events/${name}.lua`, import.meta.url));

export const scripts: Record<"heartbeat" | "acquire" | "commit" | "release" | "deadLetter" | "lag", Script> =
  {
    heartbeat: load("heartbeat"),
    acquire: load("acquire"),
    commit: load("commit"),
    release: load("release"),
    deadLetter: load("dead-letter"),
    lag: load("lag"),
  };
