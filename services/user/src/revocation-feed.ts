import { setTimeout as delay } from "node:timers/promises";
import type { Logger, Postgres } from "@chirrup/platform";
import { unavailable } from "@chirrup/platform";
import type { Revocation } from "./domain/revocation.ts";
import type { Watcher } from "./domain/revocation-watcher.ts";
import { createWatcher } from "./domain/revocation-watcher.ts";
import type { RevocationPage } from "./store/revocation.ts";
import { readRevocations } from "./store/revocation.ts";

/** One message of a stream. */
export interface RevocationUpdate {
  readonly revocations: readonly Revocation[];
  /** All revocations up to here have been sent. */
  readonly revision: bigint;
  /** False while the snapshot comes in parts. */
  readonly caughtUp: boolean;
}

/**
 * One poll of Postgres, every 100 ms, shared by all streams of the process.
 *
 * A heartbeat is sent only upon a poll that succeeded: it says "nothing was revoked up to now", and a
 * watcher that hears nothing must stop trusting tokens.
 */
export interface RevocationFeed {
  /**
   * What can still matter of all after `afterRevision`, in parts of at most 1,000, then what is new as it
   * commits. A revision from the future (the database was restored) gets the whole snapshot.
   *
   * @throws UNAVAILABLE when the feed closes or the reader falls 10,000 revocations behind; the caller
   *   comes again with its last revision.
   */
  watch(afterRevision: bigint, signal: AbortSignal): AsyncIterable<RevocationUpdate>;
  /** Why the streams are silent; undefined while the polls succeed. */
  obstacle(): string | undefined;
}

const pollMs = 100;
const heartbeatMs = 250;
const pageLimit = 1_000;

/** Polls until the signal; then ends the streams, so that gateways move on to another instance. */
export async function openRevocationFeed(options: {
  postgres: Postgres;
  now: () => Date;
  log: Logger;
  signal: AbortSignal;
}): Promise<RevocationFeed> {
  const { postgres, now, log, signal: stopping } = options;
  const watchers = new Set<Watcher>();
  let healthy = true;

  function read(after: bigint): Promise<RevocationPage> {
    return readRevocations(postgres, { after, now: now(), limit: pageLimit });
  }

  function endAll(reason: string): void {
    for (const watcher of watchers) watcher.fail(unavailable(reason));
  }

  async function poll(after: bigint): Promise<RevocationPage> {
    const page = await read(after);
    if (page.latest < after) {
      endAll("the revocations start anew");
      return read(0n);
    }
    for (const watcher of watchers) watcher.deliver(page.revocations, page.coveredTo);
    return page;
  }

  async function pollUntilStopped(start: bigint): Promise<void> {
    let covered = start;
    while (!stopping.aborted) {
      try {
        const page = await poll(covered);
        covered = page.coveredTo;
        if (!healthy) log.info("revocations are read again");
        healthy = true;
        if (covered < page.latest) continue;
      } catch (error) {
        if (healthy) log.error({ err: error }, "revocations cannot be read: streams are silent meanwhile");
        healthy = false;
      }
      await delay(pollMs, undefined, { signal: stopping }).catch(() => undefined);
    }
    endAll("the service is stopping");
  }

  async function* watch(afterRevision: bigint, signal: AbortSignal): AsyncGenerator<RevocationUpdate> {
    if (stopping.aborted) throw unavailable("the service is stopping");
    // Before the snapshot is read, so that nothing falls between the snapshot and the first poll.
    // A beat is due on the last poll before its time is up, for it cannot come between two polls.
    const watcher = createWatcher({ heartbeatMs: heartbeatMs - pollMs });
    watchers.add(watcher);
    try {
      let revision = afterRevision;
      for (let caughtUp = false; !caughtUp && !signal.aborted;) {
        const page = await read(revision);
        if (page.latest < revision) {
          revision = 0n;
          continue;
        }
        revision = page.coveredTo;
        caughtUp = revision === page.latest;
        yield { revocations: page.revocations, revision, caughtUp };
      }
      watcher.skipTo(revision);
      for (;;) {
        const batch = await watcher.next(signal);
        if (batch === undefined) return;
        yield { ...batch, caughtUp: true };
      }
    } finally {
      watchers.delete(watcher);
    }
  }

  const first = await read(0n);
  void pollUntilStopped(first.latest);
  return { watch, obstacle: () => (healthy ? undefined : "revocations cannot be read") };
}
