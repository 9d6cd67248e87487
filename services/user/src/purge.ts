import { setTimeout as delay } from "node:timers/promises";
import type { Logger, Postgres } from "@chirrup/platform";
import { purgeAttempts } from "./store/attempt.ts";
import { purgeKnownAddresses } from "./store/known-address.ts";
import { purgeMailTokens } from "./store/mail.ts";
import { purgeChallenges } from "./store/sign-in-challenge.ts";
import { purgeRevocations } from "./store/revocation.ts";
import { purgeRefusals, purgeSecurityEvents } from "./store/security-event.ts";
import { purgeSessions } from "./store/session.ts";

const everyMs = 60_000;
const batchRows = 500;
const knownAddressMs = 90 * 86_400_000;

/**
 * Deletes what is over, once a minute: sessions that ended or expired more than `historyMs` ago, revocations and
 * attempts that are forgotten, tokens and challenges that expired, addresses not used for 90 days, and what the security log is not to keep, until the
 * signal. Any number of instances may do it at once; in small batches, so that no transaction is long.
 */
export async function purgeUntilStopped(options: {
  postgres: Postgres;
  historyMs: number;
  securityLog: { readonly keptMs: number; readonly maxRefusals: number };
  now: () => Date;
  log: Logger;
  signal: AbortSignal;
}): Promise<void> {
  const { postgres, historyMs, securityLog, now, log, signal } = options;
  const ago = (ms: number): Date => new Date(now().getTime() - ms);
  while (!signal.aborted) {
    try {
      await inBatches(() => purgeSessions(postgres, ago(historyMs), batchRows), signal);
      await inBatches(() => purgeRevocations(postgres, now(), batchRows), signal);
      await inBatches(() => purgeMailTokens(postgres, now(), batchRows), signal);
      await inBatches(() => purgeChallenges(postgres, now(), batchRows), signal);
      await inBatches(() => purgeAttempts(postgres, now(), batchRows), signal);
      await inBatches(() => purgeKnownAddresses(postgres, ago(knownAddressMs), batchRows), signal);
      await inBatches(() => purgeSecurityEvents(postgres, ago(securityLog.keptMs), batchRows), signal);
      await inBatches(() => purgeRefusals(postgres, securityLog.maxRefusals, batchRows), signal);
    } catch (error) {
      if (!signal.aborted) log.warn({ err: error }, "what is over was not purged; trying again later");
    }
    await delay(everyMs, undefined, { signal, ref: false }).catch(() => undefined);
  }
}

async function inBatches(purge: () => Promise<number>, signal: AbortSignal): Promise<void> {
  while (!signal.aborted && (await purge()) === batchRows);
}
