import type { Context, Rpc } from "../context.ts";
import { checkEmail } from "../domain/email.ts";
import { allValid } from "../domain/validation.ts";
import { queueMail } from "../store/mail.ts";

/**
 * Queues a mail to the address. Whether it is an account's is found out when the mail is written: what is not asked
 * here cannot show in the answer or its time.
 */
export function requestPasswordReset({ postgres, now }: Context): Rpc["requestPasswordReset"] {
  return async (request) => {
    const { email } = allValid({ email: checkEmail(request.email) });
    await queueMail(postgres, { kind: "reset_password", email }, now());
    return {};
  };
}
