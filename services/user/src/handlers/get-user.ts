import { notFound } from "@chirrup/platform";
import type { Context, Rpc } from "../context.ts";
import { checkId } from "../domain/id.ts";
import { allValid } from "../domain/validation.ts";
import { presentUser } from "../present.ts";
import { findProfiles } from "../store/account.ts";

/** One live user by id. */
export function getUser({ postgres }: Context): Rpc["getUser"] {
  return async (request) => {
    const { userId } = allValid({ userId: checkId(request.userId) });
    const [profile] = await findProfiles(postgres, [userId]);
    if (profile === undefined) throw notFound("user", userId);
    return { user: presentUser(profile) };
  };
}
