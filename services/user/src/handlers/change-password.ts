import { permissionDenied, requireCaller } from "@chirrup/platform";
import type { Context, Rpc } from "../context.ts";
import { checkNewPassword, presentedPassword } from "../domain/password.ts";
import { forgetAt } from "../domain/revocation.ts";
import { allValid } from "../domain/validation.ts";
import { accountGone } from "../require-account.ts";
import { findCredential, replacePassword } from "../store/credential.ts";
import { endSessions } from "../store/session.ts";

/**
 * Sets a new password and ends every session but the caller's.
 *
 * An Idempotency-Key is not kept: it would need a hash of the request, which holds both passwords. The
 * repetition of a change that was done is refused as a wrong current password and changes nothing.
 */
export function changePassword({
  postgres,
  hasher,
  now: clock,
  accessTokenTtlS,
}: Context): Rpc["changePassword"] {
  return async (request, call) => {
    const caller = requireCaller(call);
    const { newPassword } = allValid({ newPassword: checkNewPassword(request.newPassword) });
    const credential = await findCredential(postgres, caller.userId);
    if (credential === undefined) throw accountGone();
    const current = presentedPassword(request.currentPassword);
    if (!(await hasher.verify(credential.passwordHash, current, call.signal))) throw refused();
    const passwordHash = await hasher.hash(newPassword, call.signal);

    const changed = await postgres.transaction(async (tx) => {
      if (!(await replacePassword(tx, caller.userId, credential.version, passwordHash))) return false;
      const now = clock();
      const end = { reason: "password_changed", now, forgetAt: forgetAt(now, accessTokenTtlS) } as const;
      await endSessions(tx, { userId: caller.userId, exceptSessionId: caller.sessionId }, end);
      return true;
    });
    // Another change came first, so what was presented is the current password no longer.
    if (!changed) throw refused();
    return {};
  };
}

function refused(): Error {
  return permissionDenied("the current password is wrong");
}
