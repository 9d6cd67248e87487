import type { Context } from "../context.ts";
import type { Contract } from "./contract.ts";
import type { Loaded } from "./keep-loaded.ts";

/** What a request that begins now is answered by: the files as they were last taken over, and what stays. */
export function currentContext(loaded: Loaded, fixed: Omit<Context, keyof Contract>): () => Context {
  let made: Context = { ...loaded.current(), ...fixed };
  return () => {
    const latest = loaded.current();
    if (latest.version !== made.version) made = { ...latest, ...fixed };
    return made;
  };
}
