import { setTimeout as delay } from "node:timers/promises";
import type { Logger, Postgres } from "@chirrup/platform";
import {
  giveUpAfterMs,
  isTokenMail,
  type Mail,
  maxLiveTokens,
  noticeMail,
  retryDelayMs,
  tokenMail,
  tokenTtlMs,
} from "../domain/mail.ts";
import { hashToken, mintToken } from "../domain/one-time-token.ts";
import { findAccount, findAccountByEmail } from "../store/account.ts";
import type { QueuedMail } from "../store/mail.ts";
import { insertMailToken, putOffMail, removeMail, takeMails } from "../store/mail.ts";
import type { Mailer } from "./mailer.ts";

const pollMs = 500;
const takenForMs = 60_000;
const batch = 20;

/**
 * Writes and sends what is queued until the signal, in every instance. A mail is sent at least once; each time with a
 * token of its own, so that no token has to be kept to be sent again.
 */
export async function deliverUntilStopped(options: {
  postgres: Postgres;
  mailer: Mailer;
  publicUrl: string;
  now: () => Date;
  log: Logger;
  signal: AbortSignal;
}): Promise<void> {
  const { postgres, mailer, publicUrl, now, log, signal } = options;

  /** The mail, or undefined when there is nobody, or no more, to be mailed. */
  async function write({ kind, email, userId }: QueuedMail): Promise<Mail | undefined> {
    if (!isTokenMail(kind)) return noticeMail(kind, email, publicUrl);
    const holder = await findAccountByEmail(postgres, email);
    // To reset a password: whoever has the address. To verify: who asked, unless the address is another's.
    const account = userId === null ? holder : await findAccount(postgres, userId);
    if (account === undefined || (holder !== undefined && holder.id !== account.id)) return undefined;
    const token = mintToken();
    const hash = hashToken(token);
    if (hash === undefined) return undefined;
    const expiresAt = new Date(now().getTime() + tokenTtlMs[kind]);
    const row = { hash, kind, userId: account.id, email, expiresAt };
    const isNew = await insertMailToken(postgres, row, { now: now(), maxLive: maxLiveTokens });
    return isNew ? tokenMail(kind, email, token, publicUrl) : undefined;
  }

  async function deliver(queued: QueuedMail): Promise<void> {
    try {
      const mail = await write(queued);
      if (mail !== undefined) await mailer.send(mail);
      await removeMail(postgres, queued.id);
    } catch (error) {
      // The error of a transport may quote the mail; its class and code tell enough.
      const { name, code } = error as { name?: string; code?: string };
      log.warn(
        { kind: queued.kind, failures: queued.failures + 1, error: name, code },
        "a mail was not sent",
      );
      const isTooOld = now().getTime() - queued.createdAt.getTime() > giveUpAfterMs;
      if (isTooOld) await removeMail(postgres, queued.id);
      else await putOffMail(postgres, queued.id, new Date(now().getTime() + retryDelayMs(queued.failures)));
    }
  }

  while (!signal.aborted) {
    try {
      const until = new Date(now().getTime() + takenForMs);
      const queued = await takeMails(postgres, now(), until, batch);
      for (const mail of queued) await deliver(mail);
      if (queued.length === batch) continue;
    } catch (error) {
      if (!signal.aborted) log.warn({ err: error }, "the mail queue was not read; trying again");
    }
    await delay(pollMs, undefined, { signal, ref: false }).catch(() => undefined);
  }
}
