import { unavailable } from "@chirrup/platform";
import type { Revocation } from "./revocation.ts";

/** What gathers between two messages of one stream. */
export interface Batch {
  readonly revocations: readonly Revocation[];
  /** All up to here is in this batch or was in one before. */
  readonly revision: bigint;
}

/** One stream's mailbox: the poll puts in, the stream takes out, nobody waits for a slow reader. */
export interface Watcher {
  /** The outcome of a successful poll, empty or not. */
  deliver(revocations: readonly Revocation[], coveredTo: bigint): void;
  /** Drops what the snapshot has covered. Call once, before `next`. */
  skipTo(revision: bigint): void;
  /** Ends the stream with an error. */
  fail(error: Error): void;
  /**
   * Revocations as soon as there are some; an empty batch upon the first delivery that is `heartbeatMs`
   * after the batch before. Undefined once the signal aborts.
   */
  next(signal: AbortSignal): Promise<Batch | undefined>;
}

const maxPending = 10_000;

export function createWatcher(options: { heartbeatMs: number; nowMs?: () => number }): Watcher {
  const nowMs = options.nowMs ?? (() => performance.now());
  let pending: Revocation[] = [];
  let revision = 0n;
  let beatDue = false;
  let takenAtMs = nowMs();
  let failure: Error | undefined;
  let wake: () => void = () => {};

  function take(): Batch | undefined {
    if (pending.length === 0 && !beatDue) return undefined;
    const batch = { revocations: pending, revision };
    pending = [];
    beatDue = false;
    takenAtMs = nowMs();
    return batch;
  }

  return {
    deliver(revocations, coveredTo) {
      if (pending.length + revocations.length > maxPending) {
        failure = unavailable("the reader is too slow");
      } else {
        for (const revoked of revocations) if (revoked.revision > revision) pending.push(revoked);
        if (coveredTo > revision) revision = coveredTo;
        beatDue ||= nowMs() - takenAtMs >= options.heartbeatMs;
      }
      wake();
    },
    skipTo(covered) {
      pending = pending.filter((revoked) => revoked.revision > covered);
      if (covered > revision) revision = covered;
    },
    fail(error) {
      failure = error;
      wake();
    },
    async next(signal) {
      for (;;) {
        if (signal.aborted) return undefined;
        if (failure !== undefined) throw failure;
        const batch = take();
        if (batch !== undefined) return batch;
        const woken = Promise.withResolvers<void>();
        wake = woken.resolve;
        const onAbort = () => woken.resolve();
        signal.addEventListener("abort", onAbort, { once: true });
        await woken.promise;
        // A stream lives for days on one signal: each turn takes its listener away again.
        signal.removeEventListener("abort", onAbort);
      }
    },
  };
}
