import type { Call, EventPayload, Queryable } from "@chirrup/platform";
import { appendOutbox, topics } from "@chirrup/platform";
import type { Context } from "./context.ts";

/** Puts what happened to an account into the outbox, in the transaction in which it happened. */
export async function announce(
  { ids }: Pick<Context, "ids">,
  tx: Queryable,
  call: Call,
  userId: bigint,
  event: EventPayload,
): Promise<void> {
  await appendOutbox(tx, {
    topic: topics.users,
    key: userId,
    event,
    eventId: ids.next(),
    traceparent: call.traceparent,
  });
}
