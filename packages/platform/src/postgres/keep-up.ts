import { setInterval } from "node:timers/promises";
import type { Logger } from "../log/index.ts";

export interface UpkeepOptions {
  /** What is kept up, for the log. */
  name: string;
  everyMs: number;
  log: Logger;
  /** Ends the repetition. */
  signal: AbortSignal;
  run(): Promise<void>;
}

const lookMs = 5_000;

/**
 * Does a piece of upkeep now, and then again every `everyMs` until `signal` aborts.
 *
 * Resolves after the first run and throws its error; later errors are logged and tried again within
 * seconds. Goes by the wall clock, because timers stand still while a machine sleeps.
 */
export async function keepUp({ name, everyMs, log, signal, run }: UpkeepOptions): Promise<void> {
  await run();
  let doneAtMs = Date.now();

  async function repeat(): Promise<void> {
    for await (const _ of setInterval(Math.min(lookMs, everyMs), undefined, { signal, ref: false })) {
      if (Math.abs(Date.now() - doneAtMs) < everyMs) continue;
      try {
        await run();
        doneAtMs = Date.now();
      } catch (error) {
        if (!signal.aborted) log.warn({ err: error, upkeep: name }, "upkeep failed; trying again");
      }
    }
  }
  repeat().catch((error: unknown) => {
    if (!signal.aborted) log.error({ err: error, upkeep: name }, "upkeep stopped");
  });
}
