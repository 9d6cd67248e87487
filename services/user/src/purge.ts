import { setTimeout as delay } from "node:timers/promises";
import type { Logger, Postgres } from "@chirrup/platform";
import { purgeRevocations } from "./store/revocation.ts";
import { purgeSessions } from "./store/session.ts";

const everyMs = 60_000;
const batchRows = 500;

/**
 * Deletes sessions that ended or expired more than `historyMs` ago, and revocations that have been
 * forgotten, once a minute until the signal. Any number of instances may do it at once; in small batches,
 * so that no transaction is long.
 */
export async function purgeUntilStopped(options: {
  postgres: Postgres;
  historyMs: number;
  now: () => Date;
  log: Logger;
  signal: AbortSignal;
}): Promise<void> {
  const { postgres, historyMs, now, log, signal } = options;
  while (!signal.aborted) {
    try {
      const sessionsBefore = new Date(now().getTime() - historyMs);
      await inBatches(() => purgeSessions(postgres, sessionsBefore, batchRows), signal);
      await inBatches(() => purgeRevocations(postgres, now(), batchRows), signal);
    } catch (error) {
      if (!signal.aborted) log.warn({ err: error }, "old sessions were not purged; trying again later");
    }
    await delay(everyMs, undefined, { signal, ref: false }).catch(() => undefined);
  }
}

async function inBatches(purge: () => Promise<number>, signal: AbortSignal): Promise<void> {
  while (!signal.aborted && (await purge()) === batchRows);
}
