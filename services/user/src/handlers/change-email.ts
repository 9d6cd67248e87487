import { requireCaller } from "@chirrup/platform";
import { confirmPassword } from "../confirm-password.ts";
import type { Context, Rpc } from "../context.ts";
import { checkEmail } from "../domain/email.ts";
import { allValid } from "../domain/validation.ts";
import { note } from "../note.ts";
import { requireSecondFactor } from "../second-factor.ts";
import { queueMail } from "../store/mail.ts";

/**
 * Mails a token to the new address, which takes effect when it comes back. An address that is another's gets no mail,
 * and the answer is the same.
 */
export function changeEmail(context: Context): Rpc["changeEmail"] {
  const { postgres, now } = context;
  return async (request, call) => {
    const caller = requireCaller(call);
    const { email } = allValid({ email: checkEmail(request.email) });
    await requireSecondFactor(context, caller);
    await confirmPassword(context, call, request.currentPassword);
    await postgres.transaction(async (tx) => {
      await note(context, tx, call, "email_change_asked", caller);
      await queueMail(tx, { kind: "verify_email", email, userId: caller.userId }, now());
    });
    return {};
  };
}
