import { unauthenticated } from "@chirrup/platform";

/** UNAUTHENTICATED, for a caller whose token has outlived the account. */
export function accountGone(): Error {
  return unauthenticated("the account does not exist any more");
}
