import { toBinary } from "@bufbuild/protobuf";
import { idempotent, notFound } from "@chirrup/platform";
import { EndSessionRequestSchema } from "@chirrup/proto/chirrup/user/v1/user_service";
import type { Context, Rpc } from "../context.ts";
import { checkId } from "../domain/id.ts";
import { forgetAt } from "../domain/revocation.ts";
import { allValid } from "../domain/validation.ts";
import { requireAccount } from "../require-account.ts";
import { endSessions } from "../store/session.ts";

/** Ends one of the caller's sessions; of another's it does not tell that it exists. */
export function endSession({ postgres, now: clock, accessTokenTtlS }: Context): Rpc["endSession"] {
  return async (request, call) => {
    const { sessionId } = allValid({ sessionId: checkId(request.sessionId) });
    const { caller } = await requireAccount(postgres, call);
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
          const end = { reason: "ended_by_owner", now, forgetAt: forgetAt(now, accessTokenTtlS) } as const;
          const ended = await endSessions(tx, { userId: caller.userId, sessionId }, end);
          if (ended.length === 0) throw notFound("session", sessionId);
          return new Uint8Array();
        },
      ),
    );
    return {};
  };
}
