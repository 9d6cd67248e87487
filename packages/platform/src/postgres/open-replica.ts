import { setTimeout as sleep } from "node:timers/promises";
import type { Logger } from "../log/index.ts";
import { urlsOfHosts } from "./hosts.ts";
import { openPostgres, type Postgres, type Query } from "./open-postgres.ts";
import type { PrimaryLog } from "./primary-log.ts";
import { createLagMeter } from "./replica-lag.ts";
import { includes, parseLsn, type WalPosition } from "./wal-position.ts";

/** A replica, watched by this process. */
export interface Replica {
  /** For reads that bear to be a little behind; undefined while the replica is out of the rotation. */
  readonly reads: Postgres | undefined;
  /** Milliseconds; undefined when it is not known or the replica is gone. */
  readonly lagMs: number | undefined;
  /** Whether the replica has, or comes to within the wait's bound, all that was written up to the position. */
  reaches(position: WalPosition): boolean | Promise<boolean>;
  /** Out of the rotation until it next answers: a read has just failed. */
  suspect(): void;
  close(): Promise<void>;
}

export interface ReplicaOptions {
  /** One or several hosts; the first that is a standby is the replica. */
  readonly url: string;
  readonly applicationName: string;
  readonly maxConnections?: number;
  readonly primaryLog: PrimaryLog;
  readonly maxLagMs: number;
  /** How long a read waits for the replica, at most. */
  readonly waitMs: number;
  readonly log: Logger;
}

/** How often the replica is looked at while a read waits for it, and while none does. */
const busyMs = 3;
const idleMs = 250;
/** How often the primary is asked where its log ends. */
const sampleMs = 500;
/** A replica that takes so long to say where it is does not answer. */
const silentMs = 1_000;
const nowMs = (): number => performance.now();

interface Row {
  readonly standby: boolean;
  readonly lsn: string | null;
  /** The newest that the server knows of; the receiver's is shown to roles of pg_read_all_stats alone. */
  readonly timeline: number;
}

const whereIsIt: Query = {
  name: "replica-position",
  text: `
    select pg_is_in_recovery() as standby, pg_last_wal_replay_lsn()::text as lsn,
      greatest((select timeline_id from pg_control_checkpoint()),
        (select min_recovery_end_timeline from pg_control_recovery()),
        (select received_tli from pg_stat_wal_receiver)) as timeline`,
};

interface Waiter {
  readonly position: WalPosition;
  settle(reached: boolean): void;
}

/** Watches a replica until it is closed. It is out of the rotation until it was first found fresh. */
export function openReplica(options: ReplicaOptions): Replica {
  const { applicationName, maxLagMs, waitMs, primaryLog, log } = options;
  const { maxConnections } = options;
  const hosts = urlsOfHosts(options.url).map((url) => ({
    reads: openPostgres({
      url,
      applicationName: `${applicationName}-replica`,
      log,
      ...(maxConnections === undefined ? {} : { maxConnections }),
    }),
    // Apart from the reads, which may take every connection.
    watch: openPostgres({
      url,
      applicationName: `${applicationName}-watch`,
      maxConnections: 1,
      statementTimeoutMs: silentMs,
      log,
    }),
  }));
  const closing = new AbortController();
  const waiters = new Set<Waiter>();
  const meter = createLagMeter(nowMs);
  let host = 0;
  let at: WalPosition | undefined;
  let inRotation = false;
  let wake = new AbortController();

  function turn(on: boolean, why: string): void {
    if (inRotation === on) return;
    inRotation = on;
    log[on ? "info" : "warn"]({ replica: applicationName, lagMs: meter.lagMs() }, `the replica ${why}`);
    if (!on) for (const waiter of waiters) waiter.settle(false);
  }

  function gone(why: string): void {
    at = undefined;
    turn(false, why);
  }

  async function look(): Promise<void> {
    const watch = hosts[host]?.watch;
    if (watch === undefined) return;
    const silence = setTimeout(() => gone("does not answer"), silentMs);
    try {
      const [row] = await watch.query<Row>(whereIsIt);
      if (row?.standby !== true || row.lsn === null) {
        gone("is a primary now, or never was a replica");
        host = (host + 1) % hosts.length;
        return;
      }
      at = { timeline: row.timeline, lsn: parseLsn(row.lsn) };
      meter.replicaIsAt(at);
    } catch (error) {
      if (!closing.signal.aborted) log.debug({ err: error }, "the replica does not answer");
      gone("is gone");
      host = (host + 1) % hosts.length;
    } finally {
      clearTimeout(silence);
    }
  }

  function judge(): void {
    const lagMs = meter.lagMs();
    if (at === undefined || lagMs === undefined) return turn(false, "is not known to be fresh");
    if (lagMs > maxLagMs) turn(false, "lags too far behind");
    // Half the bound, so that one at the bound does not come and go.
    else if (lagMs <= maxLagMs / 2) turn(true, "is fresh: reads go there");
    for (const waiter of waiters) if (includes(at, waiter.position)) waiter.settle(true);
  }

  async function watchReplica(): Promise<void> {
    while (!closing.signal.aborted) {
      await look();
      judge();
      if (closing.signal.aborted) return;
      wake = new AbortController();
      const signal = AbortSignal.any([wake.signal, closing.signal]);
      await sleep(waiters.size > 0 ? busyMs : idleMs, undefined, { signal, ref: false }).catch(
        () => undefined,
      );
    }
  }

  /** While the primary is away, the replica is held to be as fresh as it was: it is all there is. */
  async function samplePrimary(): Promise<void> {
    while (!closing.signal.aborted) {
      const seen = await primaryLog.position().catch(() => undefined);
      if (seen !== undefined) meter.primaryIsAt(seen);
      await sleep(sampleMs, undefined, { signal: closing.signal, ref: false }).catch(() => undefined);
    }
  }

  const watching = Promise.all([watchReplica(), samplePrimary()]);

  return {
    get reads() {
      return inRotation ? hosts[host]?.reads : undefined;
    },
    get lagMs() {
      return at === undefined ? undefined : meter.lagMs();
    },
    reaches(position) {
      if (at === undefined || !inRotation || at.timeline !== position.timeline) return false;
      if (at.lsn >= position.lsn) return true;
      // It is further behind than a read waits.
      if ((meter.lagMs() ?? 0) > waitMs) return false;
      return new Promise((resolve) => {
        const waiter: Waiter = {
          position,
          settle(reached) {
            clearTimeout(timer);
            waiters.delete(waiter);
            resolve(reached);
          },
        };
        const timer = setTimeout(() => waiter.settle(false), waitMs);
        waiters.add(waiter);
        if (waiters.size === 1) wake.abort();
      });
    },
    suspect: () => gone("failed a read"),
    async close() {
      closing.abort();
      for (const waiter of waiters) waiter.settle(false);
      await Promise.all(hosts.flatMap(({ reads, watch }) => [reads.close(), watch.close()]));
      await watching;
    },
  };
}
