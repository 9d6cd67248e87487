import type { Call, Caller, Queryable } from "@chirrup/platform";
import { requireCaller, unauthenticated } from "@chirrup/platform";
import type { Account } from "./domain/account.ts";
import { findAccount } from "./store/account.ts";

/**
 * The caller and the account behind it. The token can outlive the account by the moment that a gateway
 * takes to hear of the deletion.
 *
 * @throws UNAUTHENTICATED without a caller, or when its account was deleted.
 */
export async function requireAccount(
  db: Queryable,
  call: Call,
): Promise<{ caller: Caller; account: Account }> {
  const caller = requireCaller(call);
  const account = await findAccount(db, caller.userId);
  if (account === undefined) throw accountGone();
  return { caller, account };
}

export function accountGone(): Error {
  return unauthenticated("the account does not exist any more");
}
