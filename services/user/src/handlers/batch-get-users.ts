import type { Context, Rpc } from "../context.ts";
import { checkIds } from "../domain/id.ts";
import { allValid } from "../domain/validation.ts";
import { presentUser } from "../present.ts";
import { findProfiles } from "../store/account.ts";

const maxIds = 100;

/** Live users in the order asked for, each once. */
export function batchGetUsers({ reads }: Context): Rpc["batchGetUsers"] {
  return async (request, call) => {
    const { ids } = allValid({ ids: checkIds(request.ids, maxIds) });
    const profiles = await reads.whole(
      call,
      (db) => findProfiles(db, ids),
      (rows) => rows.length === new Set(ids).size,
    );
    const byId = new Map(profiles.map((profile) => [profile.id, profile]));
    const found = ids.map((id) => byId.get(id)).filter((profile) => profile !== undefined);
    return { users: found.map(presentUser) };
  };
}
