import { requireCaller } from "@chirrup/platform";
import type { Context, Rpc } from "../context.ts";
import { presentAccount } from "../present.ts";
import { accountGone } from "../require-account.ts";
import { findAccount } from "../store/account.ts";

/** The caller's own account. */
export function getMe({ reads }: Context): Rpc["getMe"] {
  return async (_request, call) => {
    const { userId } = requireCaller(call);
    const account = await reads.whole(
      call,
      (db) => findAccount(db, userId),
      (found) => found !== undefined,
    );
    if (account === undefined) throw accountGone();
    return { user: presentAccount(account) };
  };
}
