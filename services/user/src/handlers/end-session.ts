import { toBinary } from "@bufbuild/protobuf";
import { idempotent, notFound } from "@chirrup/platform";
import { EndSessionRequestSchema } from "@chirrup/proto/chirrup/user/v1/user_service";
import type { Context, Rpc } from "../context.ts";
import { checkId } from "../domain/id.ts";
import { forgetAt } from "../domain/revocation.ts";
import { allValid } from "../domain/validation.ts";
import { note } from "../note.ts";
import { requireAccount } from "../require-account.ts";
import { requireRecentPassword } from "../require-recent-password.ts";
import { endSessions } from "../store/session.ts";

/** Ends one of the caller's sessions; of another's it does not tell that it exists. */
export function endSession(context: Context): Rpc["endSession"] {
  const { postgres, now: clock, accessTokenTtlS } = context;
  return async (request, call) => {
    const { sessionId } = allValid({ sessionId: checkId(request.sessionId) });
    const { caller } = await requireAccount(postgres, call);
    if (sessionId !== caller.sessionId) await requireRecentPassword(context, caller);
    await postgres.transaction((tx) =>
      idempotent(
        tx,
        {
          callerId: caller.userId,
          key: call.idempotencyKey,
          method: "chirrup.user.v1.UserService/EndSession",
          request: toBinary(EndSessionRequestSchema, request),
        },
        async () => {
          const now = clock();
          const ended = await endSessions(
            tx,
            { userId: caller.userId, sessionId },
            {
              reason: "ended_by_owner",
              now,
              forgetAt: forgetAt(now, accessTokenTtlS),
              note: () => note(context, tx, call, "session_ended", { userId: caller.userId, sessionId }),
            },
          );
          if (ended.length === 0) throw notFound("session", sessionId);
          return new Uint8Array();
        },
      ),
    );
    return {};
  };
}
