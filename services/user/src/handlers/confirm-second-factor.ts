import { failedPrecondition, permissionDenied, requireCaller } from "@chirrup/platform";
import type { Context, Rpc } from "../context.ts";
import { hashRecoveryCode, mintRecoveryCodes } from "../domain/totp.ts";
import { note } from "../note.ts";
import { requireAccount } from "../require-account.ts";
import { withCode } from "../second-factor.ts";
import { queueMail } from "../store/mail.ts";
import { confirmSecondFactor as turnOn, markSecondFactorShown } from "../store/second-factor.ts";

/** Turns the second factor on once its owner has shown that the app knows the secret. */
export function confirmSecondFactor(context: Context): Rpc["confirmSecondFactor"] {
  const { postgres, now } = context;
  return async ({ code }, call) => {
    const { userId, sessionId } = requireCaller(call);
    const { account } = await requireAccount(postgres, call);
    const recoveryCodes = mintRecoveryCodes();
    const hashes = recoveryCodes.flatMap((text) => hashRecoveryCode(text) ?? []);
    const outcome = await withCode(context, call, { userId, code, state: "unconfirmed" }, async (tx) => {
      await turnOn(tx, userId, now(), hashes);
      await markSecondFactorShown(tx, sessionId, now());
      await note(context, tx, call, "second_factor_enabled", { userId, sessionId });
      await queueMail(tx, { kind: "second_factor_enabled", email: account.email, userId }, now());
    });
    if (outcome.kind === "none") {
      throw failedPrecondition("SECOND_FACTOR_NOT_ENROLLED", "there is no second factor to be confirmed");
    }
    if (outcome.kind === "wrong") throw permissionDenied("the code is wrong");
    return { recoveryCodes };
  };
}
