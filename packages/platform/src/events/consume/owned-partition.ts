import { setMaxListeners } from "node:events";
import { createWindow, type Position, type Window } from "./window.ts";

/** A partition that this process reads for its group. */
export interface OwnedPartition {
  readonly topic: string;
  readonly partition: number;
  /** Names this time of owning the partition; unique for ever. */
  readonly token: string;
  readonly window: Window;
  /** Aborted when the partition is lost, or when handlers have to end so that it can be handed over. */
  readonly signal: AbortSignal;
  /** Position of the last record read, in the carrier's own form. */
  readFrom: string;
  /** False from the moment it is lost or handed over: nothing of it is started any more. */
  readonly active: boolean;
  /** Moves the moment at which the partition counts as lost unless its lease is extended again. */
  extendLease(forMs: number): void;
  /** Nothing of it is started any more; handlers in flight may end. */
  stop(): void;
  /** Stops, and aborts the handlers in flight. */
  abort(reason: string): void;
  /** Counts a handler that runs. */
  enter(): void;
  leave(): void;
  /** Resolves when no handler runs. */
  idle(): Promise<void>;
}

export interface OwnedPartitionOptions {
  readonly topic: string;
  readonly partition: number;
  readonly token: string;
  readonly position: Position;
  readonly leaseMs: number;
  /** Called once when the lease was not renewed in time. */
  readonly onExpired: (owned: OwnedPartition) => void;
}

export function ownPartition(options: OwnedPartitionOptions): OwnedPartition {
  const lifetime = new AbortController();
  // One listener for each handler in flight is no leak.
  setMaxListeners(0, lifetime.signal);
  let active = true;
  let running = 0;
  let idle = Promise.withResolvers<void>();
  idle.resolve();
  // The lease ends by this process's own clock too: the log may be out of reach when it does.
  let expiry = setTimeout(expire, options.leaseMs);

  function expire(): void {
    options.onExpired(owned);
  }
  const owned: OwnedPartition = {
    topic: options.topic,
    partition: options.partition,
    token: options.token,
    window: createWindow(options.position),
    signal: lifetime.signal,
    readFrom: options.position.id,
    get active() {
      return active;
    },
    extendLease(forMs) {
      clearTimeout(expiry);
      expiry = setTimeout(expire, forMs);
    },
    stop() {
      active = false;
    },
    abort(reason) {
      active = false;
      clearTimeout(expiry);
      lifetime.abort(new Error(reason));
    },
    enter() {
      if (running++ === 0) idle = Promise.withResolvers<void>();
    },
    leave() {
      if (--running === 0) idle.resolve();
    },
    idle: () => idle.promise,
  };
  return owned;
}

/**
 * Lets the handlers of a partition end so that it can move: nothing of it is started any more, and what
 * still runs after `drainMs` is aborted. Resolves when no handler runs, or a second after the abort.
 */
export async function drain(owned: OwnedPartition, drainMs: number): Promise<void> {
  owned.stop();
  const gaveUp = Promise.withResolvers<void>();
  const abort = setTimeout(() => owned.abort("the partition moves to another process"), drainMs);
  const giveUp = setTimeout(() => gaveUp.resolve(), drainMs + 1_000);
  await Promise.race([owned.idle(), gaveUp.promise]);
  clearTimeout(abort);
  clearTimeout(giveUp);
}
