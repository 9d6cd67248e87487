import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import { unavailable } from "../errors/index.ts";
import type { Readiness } from "../lifecycle/index.ts";
import type { Logger } from "../log/index.ts";
import type { Postgres } from "../postgres/index.ts";
import { type Clock, systemClock } from "./clock.ts";
import { nodeCount } from "./id-layout.ts";
import { createIdMinter, maxAheadMs } from "./id-minter.ts";
import { type NodeClaim, releaseNode, renewNode, takeNode } from "./id-nodes.ts";

/** A source of ids that no other process makes. */
export interface Ids {
  /**
   * A new id, greater than all that this source gave before. No I/O.
   *
   * Throws UNAVAILABLE while there is no lease (Postgres has been away for longer than it lasts), and after
   * the clock was set back by more than a second, until it has caught up.
   */
  next(): bigint;
  /** Stops and frees the node number. */
  close(): Promise<void>;
}

export interface LeaseIdsOptions {
  /** The service's own primary, which has the table id_nodes. */
  postgres: Postgres;
  log: Logger;
  /** Gets a check named "ids" that fails while `next` would throw. */
  readiness?: Readiness;
  /** Ends the renewals. What is left of the lease, at least half of it, serves the calls in flight. */
  signal: AbortSignal;
  /** How long a killed process keeps its node number from others. 30,000 unless given. */
  leaseMs?: number;
  clock?: Clock;
}

const retryMs = 500;

/**
 * Leases a node number and renews it in the background until `signal` aborts.
 *
 * A lease lasts `leaseMs` by the database's clock from the moment of the statement. Here it is measured by
 * the monotonic clock from before the statement was sent, less a tenth for clocks of different speed, so it
 * ends here first. Renewed at a third of its time. A node that was lost to another holder is replaced.
 *
 * Throws UNAVAILABLE when Postgres is away or all 1,024 node numbers are taken.
 */
export async function leaseIds(options: LeaseIdsOptions): Promise<Ids> {
  const { postgres, log, readiness, signal, leaseMs = 30_000, clock = systemClock } = options;
  const holder = `${hostname()}:${process.pid}:${randomUUID()}`;
  const minter = createIdMinter(clock);
  let node: number | undefined;
  let attemptedAtMs = -Infinity;

  /** One statement for a node number, `send`, and what it grants. */
  async function ask<R>(
    send: (claim: NodeClaim) => Promise<R>,
  ): Promise<{ answer: R; validUntilMs: number }> {
    const sentAtMs = clock.monotonicMs();
    attemptedAtMs = sentAtMs;
    const wallMs = clock.wallMs();
    const answer = await send({ holder, leaseMs, wallMs, highWaterMs: wallMs + leaseMs + maxAheadMs });
    return { answer, validUntilMs: sentAtMs + leaseMs * 0.9 };
  }

  async function take(): Promise<void> {
    const { answer, validUntilMs } = await ask((claim) => takeNode(postgres, claim));
    if (answer === undefined) {
      throw unavailable(
        `none of the ${nodeCount} id nodes is free: too many processes, or a clock is wrong`,
        leaseMs,
      );
    }
    node = answer.node;
    minter.grant({ ...answer, validUntilMs });
    log.info({ node }, "leased an id node");
  }

  async function renew(held: number): Promise<void> {
    const { answer, validUntilMs } = await ask((claim) => renewNode(postgres, held, claim));
    if (answer === undefined) {
      log.warn({ node }, "the id node's lease was lost to another process");
      node = undefined;
      minter.revoke();
      return take();
    }
    minter.grant({ node: held, floorMs: 0, highWaterMs: answer.highWaterMs, validUntilMs });
  }

  let renewal: Promise<void> | undefined;
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;

  function renewIn(delayMs: number): void {
    clearTimeout(timer);
    if (stopped) return;
    timer = setTimeout(() => {
      renewal = (node === undefined ? take() : renew(node))
        .then(() => leaseMs / 3)
        .catch((error: unknown) => {
          log.warn({ err: error, node }, "the id node's lease was not renewed; trying again");
          return Math.min(retryMs, leaseMs / 10);
        })
        .then((nextDelayMs) => {
          renewal = undefined;
          renewIn(nextDelayMs);
        });
    }, delayMs);
    timer.unref();
  }

  function stopRenewing(): void {
    stopped = true;
    clearTimeout(timer);
  }

  signal.throwIfAborted();
  await take();
  signal.addEventListener("abort", stopRenewing, { once: true });
  if (signal.aborted) stopRenewing();
  renewIn(leaseMs / 3);
  readiness?.add("ids", () => minter.obstacle());

  return {
    next() {
      try {
        return minter.next();
      } catch (error) {
        // After a machine's sleep the wall clock is past the lease while timers have not moved.
        if (renewal === undefined && clock.monotonicMs() - attemptedAtMs > retryMs) {
          attemptedAtMs = clock.monotonicMs();
          renewIn(0);
        }
        throw error;
      }
    },
    async close() {
      stopRenewing();
      signal.removeEventListener("abort", stopRenewing);
      await renewal;
      const lastMs = minter.revoke();
      if (node === undefined) return;
      await releaseNode(postgres, node, holder, lastMs).catch((error: unknown) => {
        log.warn({ err: error, node }, "the id node was not released; its lease will run out");
      });
      node = undefined;
    },
  };
}
