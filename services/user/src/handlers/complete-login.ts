import { unauthenticated } from "@chirrup/platform";
import type { Context, Rpc } from "../context.ts";
import { hashToken } from "../domain/one-time-token.ts";
import { presentAccount } from "../present.ts";
import { withCode } from "../second-factor.ts";
import { findCredential, holdCredential } from "../store/credential.ts";
import { markSecondFactorShown } from "../store/second-factor.ts";
import { findChallenge, takeChallenge } from "../store/sign-in-challenge.ts";
import { startSession } from "../start-session.ts";

/** Opens the session of a sign-in whose password was right, for who has the second factor. */
export function completeLogin(context: Context): Rpc["completeLogin"] {
  const { postgres, tokens, now } = context;
  return async ({ challenge: presented, code }, call) => {
    const tokenHash = hashToken(presented);
    const challenge = tokenHash && (await findChallenge(postgres, tokenHash, now()));
    if (tokenHash === undefined || challenge === undefined) throw refused();
    const { userId, version } = challenge;
    const outcome = await withCode(context, call, { userId, code, state: "on" }, async (tx) => {
      if (!(await takeChallenge(tx, tokenHash)) || !(await holdCredential(tx, userId, version)))
        return undefined;
      const session = await startSession(context, tx, userId, call);
      await markSecondFactorShown(tx, session.sessionId, now());
      return session;
    });
    const session = outcome.kind === "right" ? outcome.value : undefined;
    if (session === undefined) throw refused();
    const credential = await findCredential(postgres, userId);
    if (credential === undefined) throw refused();
    return { user: presentAccount(credential.account), ...(await tokens(session)) };
  };
}

function refused(): Error {
  return unauthenticated("the challenge or the code is not valid");
}
