import { failedPrecondition } from "@chirrup/platform";
import { confirmPassword } from "../confirm-password.ts";
import type { Context, Rpc } from "../context.ts";
import { base32, mintTotpSecret, totpUri } from "../domain/totp.ts";
import { sealTotpSecret } from "../second-factor.ts";
import { putSecondFactor } from "../store/second-factor.ts";

/** Makes the secret of a second factor; one made before and not confirmed is good no more. */
export function enrolSecondFactor(context: Context): Rpc["enrolSecondFactor"] {
  return async (request, call) => {
    const { account } = await confirmPassword(context, call, request.currentPassword);
    const secret = mintTotpSecret();
    const sealed = sealTotpSecret(context, account.id, secret);
    if (!(await putSecondFactor(context.postgres, account.id, sealed))) {
      throw failedPrecondition("SECOND_FACTOR_ON", "there is a second factor; turn it off first");
    }
    return { secret: base32(secret), uri: totpUri(secret, account.username) };
  };
}
