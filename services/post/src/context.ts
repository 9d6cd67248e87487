import type { Cursors, Handlers, Ids, Postgres, Reads } from "@chirrup/platform";
import type { PostService } from "@chirrup/proto/chirrup/post/v1/post_service";

import type { Users } from "./clients/user.ts";

/** What the handlers work with; each takes only the parts it uses. */
export interface Context {
  /** The primary: for writes and every decision about one. */
  readonly postgres: Postgres;
  /** The replica, as far as it has what the caller has written. */
  readonly reads: Reads;
  readonly ids: Ids;
  readonly cursors: Cursors;
  readonly users: Users;
  /** How long after it was written a post may be edited. */
  readonly editWindowMs: number;
}

/** The implementation of every rpc, by its local name. */
export type PostHandlers = Handlers<typeof PostService>;
