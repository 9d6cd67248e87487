import { invalidArgument } from "@chirrup/platform";
import type { Context, Rpc } from "../context.ts";
import { hashToken } from "../domain/one-time-token.ts";
import { checkNewPassword } from "../domain/password.ts";
import { forgetAt } from "../domain/revocation.ts";
import { allValid } from "../domain/validation.ts";
import { note } from "../note.ts";
import { findAccount, verifyEmail } from "../store/account.ts";
import { resetPassword } from "../store/credential.ts";
import { dropMailTokens, findMailToken, queueMail, takeMailToken } from "../store/mail.ts";
import { endSessions } from "../store/session.ts";
import { forgetChallenges } from "../store/sign-in-challenge.ts";

/**
 * Sets a new password by a mailed token, and ends all sessions. The second factor stays: a mailbox is not enough to get
 * around it.
 */
export function confirmPasswordReset(context: Context): Rpc["confirmPasswordReset"] {
  const { postgres, hasher, attempts, commonPasswords, now: clock, accessTokenTtlS } = context;
  return async (request, call) => {
    using _ = hasher.admit();
    const hash = hashToken(request.token);
    const found = hash && (await findMailToken(postgres, "reset_password", hash, clock()));
    const account = found && (await findAccount(postgres, found.userId));
    if (hash === undefined || account === undefined) throw refused();
    const { newPassword } = allValid({
      newPassword: checkNewPassword(request.newPassword, {
        common: commonPasswords,
        names: [account.username, account.email],
      }),
    });
    await context.refuseBreached("newPassword", newPassword);
    const passwordHash = await hasher.hash(newPassword, call.signal);

    const isDone = await postgres.transaction(async (tx) => {
      const now = clock();
      const userId = account.id;
      const proved = await takeMailToken(tx, "reset_password", hash, now);
      // False when the account was deleted meanwhile.
      if (proved === undefined || !(await resetPassword(tx, userId, passwordHash))) return false;
      await dropMailTokens(tx, userId, ["reset_password"]);
      await forgetChallenges(tx, userId);
      // Who has the mail reads the address it was sent to.
      if (proved.email === account.email) await verifyEmail(tx, userId, proved.email, now);
      // Who proved the mailbox is not slowed, here, by what others try from elsewhere.
      await attempts.knowAddress(tx, userId, call);
      await note(context, tx, call, "password_reset", { userId });
      await queueMail(tx, { kind: "password_reset", email: account.email, userId }, now);
      const end = { reason: "password_reset", now, forgetAt: forgetAt(now, accessTokenTtlS) } as const;
      await endSessions(tx, { userId }, end);
      return true;
    });
    if (!isDone) throw refused();
    return {};
  };
}

function refused(): Error {
  return invalidArgument({ field: "token", description: "is not valid, or not any more" });
}
