import type { Metrics } from "@chirrup/platform";

/** What the feed measures, beside what the platform does for every service. */
export interface FeedMetrics {
  /** One page: starts the clock, and gives what stops it. */
  readonly pageSeconds: { startTimer(): () => unknown };
  /** Home timelines that a new post was put into; when an event is repeated, again. */
  readonly deliveries: { inc(count: number): void };
  /** From the write of a post to the end of its fan-out. */
  readonly deliverySeconds: { observe(seconds: number): void };
  readonly rebuilds: { inc(labels: { timeline: "home" | "outbox"; outcome: RebuildOutcome }): void };
}

/** `superseded`: another build was first, or the key was evicted or flushed meanwhile. */
export type RebuildOutcome = "built" | "superseded" | "failed";

export function createFeedMetrics(metrics: Metrics): FeedMetrics {
  return {
    pageSeconds: metrics.histogram({
      name: "chirrup_feed_page_seconds",
      help: "Time to answer one page of a home feed, with all onward calls.",
    }),
    deliveries: metrics.counter({
      name: "chirrup_feed_deliveries_total",
      help: "Home timelines that a new post was put into, repeats counted.",
    }),
    deliverySeconds: metrics.histogram({
      name: "chirrup_feed_delivery_seconds",
      help: "From the write of a post to the end of its fan-out.",
    }),
    rebuilds: metrics.counter<"timeline" | "outcome">({
      name: "chirrup_feed_rebuilds_total",
      help: "Builds of timelines (home, outbox) by outcome: built, superseded, failed.",
      labels: ["timeline", "outcome"],
    }),
  };
}
