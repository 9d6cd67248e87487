import type { Call, Queryable } from "@chirrup/platform";
import type { Context } from "./context.ts";
import type { SecurityEventKind } from "./domain/security-event.ts";
import { clientText } from "./domain/session.ts";
import { insertSecurityEvent } from "./store/security-event.ts";

/** Writes into the security log what this call did, in the transaction in which it was done. */
export async function note(
  { now }: Pick<Context, "now">,
  db: Queryable,
  call: Call,
  kind: SecurityEventKind,
  concerns: { readonly userId?: bigint | undefined; readonly sessionId?: bigint | undefined },
): Promise<void> {
  await insertSecurityEvent(db, {
    at: now(),
    kind,
    userId: concerns.userId,
    sessionId: concerns.sessionId,
    address: clientText(call.clientAddress),
    userAgent: clientText(call.userAgent),
  });
}
