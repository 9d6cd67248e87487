import type { Counter, Gauge, Histogram } from "prom-client";
import type { Metrics } from "../../metrics/index.ts";

export interface ConsumerMetrics {
  readonly events: Counter<"group" | "topic" | "outcome">;
  readonly delaySeconds: Histogram<"group" | "topic">;
  readonly partitions: Gauge<"group" | "topic">;
  readonly waiting: Gauge<"group" | "topic">;
}

/** The metrics of consumers. */
export function consumerMetrics(metrics: Metrics): ConsumerMetrics {
  return {
    events: metrics.counter({
      name: "chirrup_events_total",
      help: "Events taken from the log, by outcome: handled, retried, dead.",
      labels: ["group", "topic", "outcome"],
    }),
    delaySeconds: metrics.histogram({
      name: "chirrup_event_delay_seconds",
      help: "Time from the append to the log until an event was handled.",
      labels: ["group", "topic"],
      buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 60, 600],
    }),
    waiting: metrics.gauge({
      name: "chirrup_events_waiting",
      help: "Events that this process has read and not handled yet.",
      labels: ["group", "topic"],
    }),
    partitions: metrics.gauge({
      name: "chirrup_event_partitions",
      help: "Partitions of the log that this process reads.",
      labels: ["group", "topic"],
    }),
  };
}
