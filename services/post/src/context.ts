import type { Cursors, Handlers, Ids, Postgres } from "@chirrup/platform";
import type { PostService } from "@chirrup/proto/chirrup/post/v1/post_service";

import type { Users } from "./clients/user.ts";

/** What the handlers work with; each takes only the parts it uses. */
export interface Context {
  /** The primary. */
  readonly postgres: Postgres;
  readonly ids: Ids;
  readonly cursors: Cursors;
  readonly users: Users;
  /** How long after it was written a post may be edited. */
  readonly editWindowMs: number;
}

/** The implementation of every rpc, by its local name. */
export type PostHandlers = Handlers<typeof PostService>;
