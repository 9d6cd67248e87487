import { failedPrecondition, permissionDenied, requireCaller } from "@chirrup/platform";
import type { Context, Rpc } from "../context.ts";
import { note } from "../note.ts";
import { withCode } from "../second-factor.ts";
import { markSecondFactorShown } from "../store/second-factor.ts";

/** Shows the second factor again in this session, before what is dangerous. */
export function showSecondFactor(context: Context): Rpc["showSecondFactor"] {
  return async ({ code }, call) => {
    const { userId, sessionId } = requireCaller(call);
    const outcome = await withCode(context, call, { userId, code, state: "on" }, async (tx) => {
      await markSecondFactorShown(tx, sessionId, context.now());
      await note(context, tx, call, "second_factor_shown", { userId, sessionId });
    });
    if (outcome.kind === "none") {
      throw failedPrecondition("SECOND_FACTOR_OFF", "there is no second factor");
    }
    if (outcome.kind === "wrong") throw permissionDenied("the code is wrong");
    return {};
  };
}
