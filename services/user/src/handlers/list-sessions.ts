import { pageSize, timestampOf } from "@chirrup/platform";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { Context, Rpc } from "../context.ts";
import { requireAccount } from "../require-account.ts";
import { listLiveSessions } from "../store/session.ts";

/** The caller's live sessions, newest first. */
export function listSessions({ postgres, reads, cursors, now }: Context): Rpc["listSessions"] {
  return async (request, call) => {
    const { caller } = await requireAccount(postgres, call);
    const size = pageSize(request.pageSize);
    const scope = `sessions:${caller.userId}`;
    const before = cursors.decode(scope, request.cursor);
    // One more than the page tells whether there is another.
    const found = await listLiveSessions(reads.of(call), caller.userId, {
      before,
      limit: size + 1,
      now: now(),
    });
    const page = found.slice(0, size);
    const last = page.at(-1);
    return {
      sessions: page.map(({ id, userAgent, address, lastUsedAt }) => ({
        id,
        createdAt: timestampOf(id),
        lastUsedAt: timestampFromDate(lastUsedAt),
        userAgent,
        address,
        current: id === caller.sessionId,
      })),
      nextCursor: found.length > size && last !== undefined ? cursors.encode(scope, last.id) : "",
    };
  };
}
