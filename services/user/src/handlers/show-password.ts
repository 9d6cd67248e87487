import { requireCaller } from "@chirrup/platform";
import { confirmPassword } from "../confirm-password.ts";
import type { Context, Rpc } from "../context.ts";
import { note } from "../note.ts";

/** Shows the password again in this session, before what is dangerous. */
export function showPassword(context: Context): Rpc["showPassword"] {
  return async ({ password }, call) => {
    await confirmPassword(context, call, password);
    await note(context, context.postgres, call, "password_shown", requireCaller(call));
    return {};
  };
}
