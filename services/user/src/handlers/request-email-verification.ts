import type { Context, Rpc } from "../context.ts";
import { requireAccount } from "../require-account.ts";
import { queueMail } from "../store/mail.ts";

/** Mails a token to the caller's address, unless it is verified. */
export function requestEmailVerification({ postgres, now }: Context): Rpc["requestEmailVerification"] {
  return async (_request, call) => {
    const { account } = await requireAccount(postgres, call);
    if (!account.emailVerified) {
      await queueMail(postgres, { kind: "verify_email", email: account.email, userId: account.id }, now());
    }
    return {};
  };
}
