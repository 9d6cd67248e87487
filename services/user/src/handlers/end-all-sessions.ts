import type { Context, Rpc } from "../context.ts";
import { forgetAt } from "../domain/revocation.ts";
import { requireAccount } from "../require-account.ts";
import { endSessions } from "../store/session.ts";

/** Signs the caller out everywhere, here too. */
export function endAllSessions({ postgres, now: clock, accessTokenTtlS }: Context): Rpc["endAllSessions"] {
  return async (_request, call) => {
    const { caller } = await requireAccount(postgres, call);
    await postgres.transaction(async (tx) => {
      const now = clock();
      const end = { reason: "ended_by_owner", now, forgetAt: forgetAt(now, accessTokenTtlS) } as const;
      await endSessions(tx, { userId: caller.userId }, end);
    });
    return {};
  };
}
