import { announce } from "../announce.ts";
import type { Context, Rpc } from "../context.ts";
import { forgetAt } from "../domain/revocation.ts";
import { accountGone, requireAccount } from "../require-account.ts";
import { requireRecentPassword } from "../require-recent-password.ts";
import { scrubAccount } from "../store/account.ts";
import { deleteCredential } from "../store/credential.ts";
import { requireSecondFactor } from "../second-factor.ts";
import { forgetMail } from "../store/mail.ts";
import { deleteSecondFactor } from "../store/second-factor.ts";
import { forgetChallenges } from "../store/sign-in-challenge.ts";
import { forgetAddresses } from "../store/known-address.ts";
import { insertSecurityEvent, scrubSecurityEvents } from "../store/security-event.ts";
import { endSessions, scrubSessions } from "../store/session.ts";

/** Empties the account, frees its username and e-mail, ends its sessions and announces it. */
export function deleteMe(context: Context): Rpc["deleteMe"] {
  const { postgres, now: clock, accessTokenTtlS } = context;
  return async (_request, call) => {
    const { caller } = await requireAccount(postgres, call);
    const { userId } = caller;
    await requireSecondFactor(context, caller);
    await requireRecentPassword(context, caller);
    await postgres.transaction(async (tx) => {
      // First the credential: a sign-in under way holds it, and locks what follows in the same order.
      if (!(await deleteCredential(tx, userId))) throw accountGone();
      const now = clock();
      await scrubAccount(tx, userId, now);
      await announce(context, tx, call, userId, { case: "userDeleted", value: { userId } });
      await deleteSecondFactor(tx, userId);
      await forgetChallenges(tx, userId);
      await forgetMail(tx, userId);
      await forgetAddresses(tx, userId);
      await scrubSecurityEvents(tx, userId);
      await scrubSessions(tx, userId);
      await insertSecurityEvent(tx, { at: now, kind: "account_deleted", userId, address: "", userAgent: "" });
      const end = { reason: "account_deleted", now, forgetAt: forgetAt(now, accessTokenTtlS) } as const;
      await endSessions(tx, { userId }, end);
    });
    return {};
  };
}
