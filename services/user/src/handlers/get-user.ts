import { notFound } from "@chirrup/platform";
import type { Context, Rpc } from "../context.ts";
import { checkId } from "../domain/id.ts";
import { allValid } from "../domain/validation.ts";
import { presentUser } from "../present.ts";
import { findProfiles } from "../store/account.ts";

/** One live user by id. */
export function getUser({ reads }: Context): Rpc["getUser"] {
  return async (request, call) => {
    const { userId } = allValid({ userId: checkId(request.userId) });
    const [profile] = await reads.whole(
      call,
      (db) => findProfiles(db, [userId]),
      (found) => found.length > 0,
    );
    if (profile === undefined) throw notFound("user", userId);
    return { user: presentUser(profile) };
  };
}
