import type { Logger } from "../log/index.ts";
import type { ConsumerMetrics } from "./consume/metrics.ts";
import type { EventLog } from "./event-log.ts";

/** A way to carry the log. Whoever opened it closes its subscriptions first. */
export type Carrier = EventLog;

export interface CarrierOptions {
  readonly url: string;
  readonly log: Logger;
  readonly metrics: ConsumerMetrics;
  /** Aborted when the log is closed: what waits for a server gives up. */
  readonly signal: AbortSignal;
}
