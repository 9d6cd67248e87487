import type { Cursors, Handlers, Ids, Postgres, Reads } from "@chirrup/platform";
import type { FollowService } from "@chirrup/proto/chirrup/follow/v1/follow_service";
import type { Users } from "./clients/user.ts";
import type { Thresholds } from "./domain/celebrity-state.ts";

/** What the handlers work with. Each takes only what it uses. */
export interface FollowContext {
  /** The primary: for writes, for decisions about them, and for fan-outs. */
  readonly postgres: Postgres;
  /** The replica, as far as it has what the caller has written. */
  readonly reads: Reads;
  readonly ids: Pick<Ids, "next">;
  readonly cursors: Cursors;
  readonly users: Users;
  readonly thresholds: Thresholds;
}

/** The type of one rpc's handler, by the rpc's local name. */
export type Rpc<Name extends keyof Handlers<typeof FollowService>> = Handlers<typeof FollowService>[Name];
