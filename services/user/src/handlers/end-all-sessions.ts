import type { Context, Rpc } from "../context.ts";
import { forgetAt } from "../domain/revocation.ts";
import { note } from "../note.ts";
import { requireAccount } from "../require-account.ts";
import { requireRecentPassword } from "../require-recent-password.ts";
import { endSessions } from "../store/session.ts";

/** Signs the caller out everywhere, here too. */
export function endAllSessions(context: Context): Rpc["endAllSessions"] {
  const { postgres, now: clock, accessTokenTtlS } = context;
  return async (_request, call) => {
    const { caller } = await requireAccount(postgres, call);
    await requireRecentPassword(context, caller);
    await postgres.transaction(async (tx) => {
      const now = clock();
      await endSessions(
        tx,
        { userId: caller.userId },
        {
          reason: "ended_by_owner",
          now,
          forgetAt: forgetAt(now, accessTokenTtlS),
          note: () => note(context, tx, call, "sessions_ended", caller),
        },
      );
    });
    return {};
  };
}
