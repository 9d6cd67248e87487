import { type ReceivedEvent, UnprocessableEvent } from "@chirrup/platform";

/** Applies one event of a topic. Idempotent; throws when it is to come again. */
export type Consumer = (received: ReceivedEvent, signal: AbortSignal) => Promise<void>;

/** For an event that its topic does not define, or that this version does not know. */
export function unexpected({ topic, event }: ReceivedEvent): UnprocessableEvent {
  return new UnprocessableEvent(`${event.payload.case ?? "an unknown payload"} in topic ${topic}`);
}
