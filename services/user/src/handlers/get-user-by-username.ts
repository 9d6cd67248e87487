import { notFound } from "@chirrup/platform";
import type { Context, Rpc } from "../context.ts";
import { checkUsername } from "../domain/username.ts";
import { allValid } from "../domain/validation.ts";
import { presentUser } from "../present.ts";
import { findProfileByUsername } from "../store/account.ts";

/** One live user by username, without regard to case. */
export function getUserByUsername({ reads }: Context): Rpc["getUserByUsername"] {
  return async (request, call) => {
    const { username } = allValid({ username: checkUsername(request.username) });
    const profile = await reads.whole(
      call,
      (db) => findProfileByUsername(db, username),
      (found) => found !== undefined,
    );
    if (profile === undefined) throw notFound("user", username);
    return { user: presentUser(profile) };
  };
}
