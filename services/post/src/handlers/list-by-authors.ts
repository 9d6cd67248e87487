import { invalidArgument } from "@chirrup/platform";

import type { Context, PostHandlers } from "../context.ts";
import { validIds } from "../domain/id.ts";
import { endOfIds } from "../domain/page.ts";
import { findNewestOf } from "../store/post-ref.ts";

/** As many as a user may follow, and the user. */
const maxAuthors = 5_001;
const maxLimit = 1_000;

/** ListByAuthors: the newest posts of some authors below an id. For the feed, which asks as a service. */
export function listByAuthors({ reads }: Pick<Context, "reads">): PostHandlers["listByAuthors"] {
  return async ({ authorIds, before, limit }, call) => {
    const authors = validIds("authorIds", authorIds, maxAuthors);
    if (before < 0n) throw invalidArgument({ field: "before", description: "must be 0 or a positive id" });
    if (limit < 1 || limit > maxLimit) {
      throw invalidArgument({ field: "limit", description: `must be 1 to ${maxLimit}` });
    }
    return { posts: await findNewestOf(reads.of(call), authors, before === 0n ? endOfIds : before, limit) };
  };
}
