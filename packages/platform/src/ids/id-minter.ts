import { unavailable } from "../errors/index.ts";
import type { Clock } from "./clock.ts";
import { composeId, EPOCH_MS, maxSequence, maxTimeMs } from "./id-layout.ts";

/** What a lease of a node number allows. */
export interface Grant {
  node: number;
  /** Ids of this node up to this time (ms since 1970) may exist already. */
  floorMs: number;
  /** The last time that an id under this grant may hold. */
  highWaterMs: number;
  /** On the monotonic clock; at and after it nothing is minted. */
  validUntilMs: number;
}

/**
 * How far an id's time may be ahead of the clock: because the clock was set back, or because a
 * millisecond's 4,096 ids were used up and the next one's are borrowed.
 */
export const maxAheadMs = 1_000;

const retryAfterMs = 1_000;

export interface IdMinter {
  /** The next id, greater than all before it; throws UNAVAILABLE when `obstacle` gives a reason. */
  next(): bigint;
  /** Why `next` would throw now; undefined when it would not. */
  obstacle(): string | undefined;
  /** Goes on under this grant, which may be of the same node or of another. */
  grant(grant: Grant): void;
  /** Ends minting; returns the latest time that an id of the last grant may hold. */
  revoke(): number;
}

/**
 * Makes ids, one process's share of them.
 *
 * *Why they are unique*: grants of one node have disjoint intervals (floorMs, highWaterMs], and within a
 * grant (time, sequence) only grows. No clock takes part in that argument. The grant's end by the monotonic
 * clock comes on top, so that a node that looks free is free.
 */
export function createIdMinter(clock: Clock): IdMinter {
  let current: Grant | undefined;
  let timeMs = EPOCH_MS;
  let sequence = maxSequence;

  /** The time of the next id. */
  const nextTimeMs = (wallMs: number): number => {
    if (wallMs > timeMs) return wallMs;
    return sequence < maxSequence ? timeMs : timeMs + 1;
  };

  const obstacleTo = (candidateMs: number, wallMs: number): string | undefined => {
    if (current === undefined || clock.monotonicMs() >= current.validUntilMs) return "no lease of an id node";
    if (candidateMs - wallMs > maxAheadMs)
      return `the clock is ${candidateMs - wallMs} ms behind the last id`;
    if (candidateMs > current.highWaterMs) return "the clock went ahead of the id node's lease";
    if (candidateMs > maxTimeMs) return "the clock is past the last millisecond that an id can hold";
    return undefined;
  };

  return {
    next() {
      const wallMs = clock.wallMs();
      const candidateMs = nextTimeMs(wallMs);
      const obstacle = obstacleTo(candidateMs, wallMs);
      if (current === undefined || obstacle !== undefined) {
        throw unavailable(`no id can be made: ${obstacle}`, retryAfterMs);
      }
      sequence = candidateMs > timeMs ? 0 : sequence + 1;
      timeMs = candidateMs;
      return composeId(timeMs, current.node, sequence);
    },
    obstacle() {
      const wallMs = clock.wallMs();
      return obstacleTo(nextTimeMs(wallMs), wallMs);
    },
    grant(grant) {
      if (grant.node !== current?.node || grant.floorMs > timeMs) {
        timeMs = Math.max(timeMs, grant.floorMs);
        // Another node's id of the same millisecond may be less than the last one, so start a new one.
        sequence = maxSequence;
      }
      current = grant;
    },
    revoke() {
      current = undefined;
      return timeMs;
    },
  };
}
