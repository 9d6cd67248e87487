import type { Context, Rpc } from "../context.ts";
import { presentAccount } from "../present.ts";
import { requireAccount } from "../require-account.ts";

/** The caller's own account. */
export function getMe({ postgres }: Context): Rpc["getMe"] {
  return async (_request, call) => {
    const { account } = await requireAccount(postgres, call);
    return { user: presentAccount(account) };
  };
}
