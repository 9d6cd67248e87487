import type { Call } from "@chirrup/platform";
import { permissionDenied, requireCaller } from "@chirrup/platform";
import type { Context } from "./context.ts";
import { presentedPassword } from "./domain/password.ts";
import { note } from "./note.ts";
import { accountGone } from "./require-account.ts";
import type { Credential } from "./store/credential.ts";
import { findCredential } from "./store/credential.ts";
import { markPasswordShown } from "./store/session.ts";

/**
 * The caller's credential, when the password that came with the call is theirs. Whoever holds a token could guess
 * here, so the tries of one session are limited. A right one counts for what asks for it within five minutes, too.
 *
 * @throws UNAUTHENTICATED, PERMISSION_DENIED when the password is wrong, RESOURCE_EXHAUSTED.
 */
export async function confirmPassword(
  context: Pick<Context, "postgres" | "attempts" | "hasher" | "now">,
  call: Call,
  presented: string,
): Promise<Credential> {
  const { postgres, attempts, hasher } = context;
  const caller = requireCaller(call);
  const credential = await findCredential(postgres, caller.userId);
  if (credential === undefined) throw accountGone();
  const attempt = await attempts.beginConfirmation(caller.sessionId);
  const password = presentedPassword(presented);
  if (!(await hasher.verify(credential.passwordHash, password, attempt, call.signal))) {
    await note(context, postgres, call, "password_confirmation_failed", caller);
    throw wrongPassword();
  }
  await attempt.succeeded();
  await markPasswordShown(postgres, caller.sessionId, context.now());
  return credential;
}

export function wrongPassword(): Error {
  return permissionDenied("the current password is wrong");
}
