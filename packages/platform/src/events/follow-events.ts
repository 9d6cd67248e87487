import type { Logger } from "../log/index.ts";
import type { EventLog, SubscribeOptions, Subscription } from "./event-log.ts";

export interface FollowedEvents {
  /** What {@link Subscription.lag} says; not a number until the group is joined, and while the log is away. */
  lag(): Promise<number>;
}

/**
 * Subscribes behind the caller's back: a service serves all the same while the event log is away or a group waits out
 * a member that was killed, and takes its events up later. The subscription ends with the log.
 *
 * @param signal Aborted when the service stops, so that the end of the wait is no error.
 */
export function followEvents(
  eventLog: EventLog,
  options: SubscribeOptions,
  { log, signal }: { readonly log: Logger; readonly signal: AbortSignal },
): FollowedEvents {
  let joined: Subscription | undefined;
  eventLog.subscribe(options).then(
    (subscription) => {
      joined = subscription;
    },
    (error: unknown) => {
      const { group, topics } = options;
      if (!signal.aborted) log.error({ err: error, group, topics }, "events are not followed");
    },
  );
  return {
    lag: async () => (await joined?.lag().catch(() => undefined)) ?? Number.NaN,
  };
}
