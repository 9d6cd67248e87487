import type { Context, Rpc } from "../context.ts";
import { isSessionLive } from "../store/session.ts";

/** For gateways whose stream is silent: whether a session is live, by the primary. */
export function checkSession({ postgres, now }: Context): Rpc["checkSession"] {
  return async ({ sessionId }) => ({ live: await isSessionLive(postgres, sessionId, now()) });
}
