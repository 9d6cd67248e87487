import { alreadyExists, invalidArgument, isUniqueViolation } from "@chirrup/platform";
import type { Context, Rpc } from "../context.ts";
import { hashToken } from "../domain/one-time-token.ts";
import { note } from "../note.ts";
import { findAccount, verifyEmail } from "../store/account.ts";
import { dropMailTokens, queueMail, takeMailToken } from "../store/mail.ts";

/** Makes the address that a token was mailed to the account's, verified; the address before it is told. */
export function confirmEmailVerification(context: Context): Rpc["confirmEmailVerification"] {
  const { postgres, now } = context;
  return async ({ token }, call) => {
    const hash = hashToken(token);
    const isDone = await postgres
      .transaction(async (tx) => {
        const proved = hash && (await takeMailToken(tx, "verify_email", hash, now()));
        const before = proved && (await findAccount(tx, proved.userId));
        if (proved === undefined || before === undefined) return false;
        const { userId, email } = proved;
        await verifyEmail(tx, userId, email, now());
        if (before.email === email) {
          await note(context, tx, call, "email_verified", { userId });
          return true;
        }
        // A reset that was mailed to the old address must not outlive the change.
        await dropMailTokens(tx, userId, ["reset_password", "verify_email"]);
        await note(context, tx, call, "email_changed", { userId });
        await queueMail(tx, { kind: "email_changed", email: before.email, userId }, now());
        return true;
      })
      .catch((error: unknown) => {
        if (isUniqueViolation(error, "accounts_email_key")) throw alreadyExists("email", "is taken");
        throw error;
      });
    if (!isDone) throw invalidArgument({ field: "token", description: "is not valid, or not any more" });
    return {};
  };
}
