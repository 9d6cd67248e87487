import { requireCaller } from "@chirrup/platform";
import { confirmPassword, wrongPassword } from "../confirm-password.ts";
import type { Context, Rpc } from "../context.ts";
import { checkNewPassword } from "../domain/password.ts";
import { forgetAt } from "../domain/revocation.ts";
import { allValid } from "../domain/validation.ts";
import { note } from "../note.ts";
import { requireAccount } from "../require-account.ts";
import { requireSecondFactor } from "../second-factor.ts";
import { replacePassword } from "../store/credential.ts";
import { dropMailTokens, queueMail } from "../store/mail.ts";
import { endSessions } from "../store/session.ts";
import { forgetChallenges } from "../store/sign-in-challenge.ts";

/**
 * Sets a new password and ends every session but the caller's.
 *
 * An Idempotency-Key is not kept: it would need a hash of the request, which holds both passwords. The
 * repetition of a change that was done is refused as a wrong current password and changes nothing.
 */
export function changePassword(context: Context): Rpc["changePassword"] {
  const { postgres, hasher, commonPasswords, refuseBreached, now: clock, accessTokenTtlS } = context;
  return async (request, call) => {
    const caller = requireCaller(call);
    const { account } = await requireAccount(postgres, call);
    const { newPassword } = allValid({
      newPassword: checkNewPassword(request.newPassword, {
        common: commonPasswords,
        names: [account.username, account.email],
      }),
    });
    await requireSecondFactor(context, caller);
    const credential = await confirmPassword(context, call, request.currentPassword);
    await refuseBreached("newPassword", newPassword);
    const passwordHash = await hasher.hash(newPassword, call.signal);

    const changed = await postgres.transaction(async (tx) => {
      if (!(await replacePassword(tx, caller.userId, credential.version, passwordHash))) return false;
      const now = clock();
      await note(context, tx, call, "password_changed", caller);
      await dropMailTokens(tx, caller.userId, ["reset_password"]);
      await forgetChallenges(tx, caller.userId);
      await queueMail(tx, { kind: "password_changed", email: account.email, userId: caller.userId }, now);
      const end = { reason: "password_changed", now, forgetAt: forgetAt(now, accessTokenTtlS) } as const;
      await endSessions(tx, { userId: caller.userId, exceptSessionId: caller.sessionId }, end);
      return true;
    });
    // Another change came first, so what was presented is the current password no longer.
    if (!changed) throw wrongPassword();
    return {};
  };
}
