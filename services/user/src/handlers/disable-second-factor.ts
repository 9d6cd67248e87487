import type { Context, Rpc } from "../context.ts";
import { note } from "../note.ts";
import { requireAccount } from "../require-account.ts";
import { requireSecondFactor } from "../second-factor.ts";
import { queueMail } from "../store/mail.ts";
import { deleteSecondFactor } from "../store/second-factor.ts";

/** Turns the second factor off, with its recovery codes. */
export function disableSecondFactor(context: Context): Rpc["disableSecondFactor"] {
  const { postgres, now } = context;
  return async (_request, call) => {
    const { caller, account } = await requireAccount(postgres, call);
    await requireSecondFactor(context, caller);
    await postgres.transaction(async (tx) => {
      if (!(await deleteSecondFactor(tx, caller.userId))) return;
      await note(context, tx, call, "second_factor_disabled", caller);
      const mail = { kind: "second_factor_disabled", email: account.email, userId: caller.userId } as const;
      await queueMail(tx, mail, now());
    });
    return {};
  };
}
