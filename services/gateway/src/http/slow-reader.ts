import type { Bounds } from "./bounds.ts";
import type { ClientResponse } from "./client-request.ts";

/**
 * Ends an answer that waits for its client and makes no way for `stalledMs`: a client that asks and does not read would
 * hold the answer's memory for as long as it likes.
 */
export function endWhenStalled(response: ClientResponse, { stalledMs, sweepMs }: Bounds): void {
  let before = -1;
  let sinceMs = performance.now();
  const timer = setInterval(() => {
    const waiting = response.writableLength;
    const nowMs = performance.now();
    if (waiting === 0 || waiting !== before) {
      before = waiting;
      sinceMs = nowMs;
    } else if (nowMs - sinceMs >= stalledMs) response.destroy();
  }, sweepMs).unref();
  response.once("close", () => clearInterval(timer));
}
