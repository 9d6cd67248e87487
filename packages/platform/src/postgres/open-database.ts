import { createTokenCodec } from "../consistency/tokens.ts";
import type { Logger } from "../log/index.ts";
import type { Metrics } from "../metrics/index.ts";
import { openPostgres, type Postgres, type Queryable } from "./open-postgres.ts";
import { openReplica, type Replica } from "./open-replica.ts";
import { isServerGone } from "./postgres-errors.ts";
import { createPrimaryLog, type PrimaryLog } from "./primary-log.ts";
import type { WalPosition } from "./wal-position.ts";

/** What a call says about where it may be answered. */
export interface ReadTerms {
  /** The consistency tokens that came with it, of any service. */
  readonly consistency: readonly string[];
  /** Whether something is decided by what is read. */
  readonly readsPrimary: boolean;
}

/** Makes the token that the answer of a write carries. */
export interface WriteTokens {
  /** A token of all that was committed before this call; takes up to a second. Never fails. */
  afterWrite(): Promise<string>;
}

/** Reads that bear to be a little behind, but not behind what their caller has written. */
export interface Reads {
  /**
   * Where a call's reads go: to the replica when it has all that the call's tokens stand for, waiting for that as long
   * as `waitMs`; else, and when the replica fails, to the primary. Who has read there once goes on reading there.
   */
  of(call: ReadTerms): Queryable;
  /**
   * What `read` finds for a call; looked for once more on the primary when something is missing, since a replica may not
   * have it yet.
   */
  whole<T>(call: ReadTerms, read: (db: Queryable) => Promise<T>, isWhole: (found: T) => boolean): Promise<T>;
}

/** A service's database: its primary and, where there is one, a replica. */
export interface Database {
  /** For writes, for every decision about a write, and for reads that bear no staleness. */
  readonly primary: Postgres;
  readonly reads: Reads;
  /** Undefined where no tokens are given out. */
  readonly tokens: WriteTokens | undefined;
  close(): Promise<void>;
}

export interface DatabaseOptions {
  /** The primary: one host, or all that may be it, with commas between. */
  readonly url: string;
  /** The replica, or all servers that may be it. Default: none, and every read goes to the primary. */
  readonly replicaUrl?: string | undefined;
  /** Authenticates consistency tokens; without it none are given out, and a replica cannot be used. */
  readonly consistencySecret?: string | undefined;
  /** The service's name in its tokens. */
  readonly service: string;
  /** A replica further behind gets no reads. */
  readonly maxLagMs: number;
  /** How long a read that carries a token waits for the replica, at most. */
  readonly waitMs: number;
  /** Default: 10 for each server. */
  readonly maxConnections?: number;
  readonly log: Logger;
  readonly metrics?: Metrics;
}

/** A token outlives the lag of any replica that gets reads, and the time in which that is noticed. */
const tokenTtlMs = (maxLagMs: number): number => 2 * maxLagMs + 10_000;
/** No server's timeline, so that whoever carries it reads the primary. */
const unknownPosition: WalPosition = { timeline: 0, lsn: 0n };

/** Why a read went where it went. */
type Reason = "fresh" | "caught_up" | "decision" | "behind" | "out_of_rotation" | "failed" | "missing";

interface Placed extends Queryable {
  /** Whether the last statement went to the primary. */
  readonly onPrimary: boolean;
}

/** Reads that all go to one server. */
export function readsOf(primary: Postgres): Reads {
  return { of: () => primary, whole: (_call, read) => read(primary) };
}

/** Opens the pools and, with a replica, begins to watch it. */
export function openDatabase(options: DatabaseOptions): Database {
  const { url, replicaUrl, consistencySecret, service, maxLagMs, waitMs, log, metrics } = options;
  const applicationName = `chirrup-${service}`;
  const pool = options.maxConnections === undefined ? {} : { maxConnections: options.maxConnections };
  const primary = openPostgres({ url, applicationName, log, ...pool });
  if (consistencySecret === undefined) {
    if (replicaUrl !== undefined) throw new Error("a replica cannot be used without a consistency secret");
    return { primary, reads: readsOf(primary), tokens: undefined, close: () => primary.close() };
  }

  const codec = createTokenCodec({ service, secret: consistencySecret, ttlMs: tokenTtlMs(maxLagMs) });
  if (replicaUrl === undefined) {
    // Nothing is asked for it: its bearer reads the primary, wherever another instance has a replica already.
    const tokens: WriteTokens = { afterWrite: () => Promise.resolve(codec.encode(unknownPosition)) };
    return { primary, reads: readsOf(primary), tokens, close: () => primary.close() };
  }

  // Apart from the writes, which may take every connection.
  const logReads = openPostgres({
    url,
    applicationName: `${applicationName}-log`,
    maxConnections: 1,
    statementTimeoutMs: 1_000,
    log,
  });
  const primaryLog = createPrimaryLog(logReads);
  const tokens = createWriteTokens(primaryLog, codec.encode, log);
  const replica = openReplica({
    url: replicaUrl,
    applicationName,
    primaryLog,
    maxLagMs,
    waitMs,
    log,
    ...pool,
  });
  const note = measure(metrics, replica);

  function choose(call: ReadTerms): Chosen | Promise<Chosen> {
    if (call.readsPrimary) return { db: undefined, reason: "decision" };
    const db = replica.reads;
    if (db === undefined) return { db: undefined, reason: "out_of_rotation" };
    const wanted = call.consistency.length === 0 ? [] : codec.decode(call.consistency);
    const answers = wanted.map((position) => replica.reaches(position));
    if (answers.every((answer) => answer === true)) return { db, reason: "fresh" };
    if (answers.includes(false)) return { db: undefined, reason: "behind" };
    const waits = answers.filter((answer) => answer instanceof Promise);
    return Promise.all(waits).then((all): Chosen =>
      all.every(Boolean) ? { db, reason: "caught_up" } : { db: undefined, reason: "behind" },
    );
  }

  function place(call: ReadTerms): Placed {
    let chosen: Chosen | Promise<Chosen> | undefined;
    let onPrimary = false;
    return {
      get onPrimary() {
        return onPrimary;
      },
      async query(query) {
        chosen ??= choose(call);
        const { db, reason } = chosen instanceof Promise ? await chosen : chosen;
        note(reason);
        onPrimary = db === undefined;
        if (db === undefined) return primary.query(query);
        try {
          return await db.query(query);
        } catch (error) {
          if (!isServerGone(error)) throw error;
          replica.suspect();
          chosen = { db: undefined, reason: "failed" };
          onPrimary = true;
          note("failed");
          return primary.query(query);
        }
      },
    };
  }

  return {
    primary,
    tokens,
    reads: {
      of: place,
      async whole(call, read, isWhole) {
        const placed = place(call);
        const found = await read(placed);
        if (placed.onPrimary || isWhole(found)) return found;
        note("missing");
        return read(primary);
      },
    },
    async close() {
      await replica.close();
      await Promise.all([primary.close(), logReads.close()]);
    },
  };
}

interface Chosen {
  /** Undefined: the primary. */
  readonly db: Postgres | undefined;
  readonly reason: Reason;
}

function createWriteTokens(
  primaryLog: PrimaryLog,
  encode: (position: WalPosition) => string,
  log: Logger,
): WriteTokens {
  let last: { readonly position: WalPosition; readonly token: string } | undefined;
  return {
    async afterWrite() {
      const position = await primaryLog.position().catch((error: unknown) => {
        log.debug({ err: error }, "where the primary's log ends is not known");
        return unknownPosition;
      });
      // Writes that shared a question share the token.
      if (last?.position !== position) last = { position, token: encode(position) };
      return last.token;
    },
  };
}

function measure(metrics: Metrics | undefined, replica: Replica): (reason: Reason) => void {
  if (metrics === undefined) return () => undefined;
  metrics.gauge({
    name: "postgres_replica_in_rotation",
    help: "1 while reads may go to the replica, 0 while all go to the primary.",
    collect: (gauge) => gauge.set(replica.reads === undefined ? 0 : 1),
  });
  metrics.gauge({
    name: "postgres_replica_lag_seconds",
    help: "How long the replica has been without something that the primary has; not a number when that is not known.",
    collect: (gauge) => gauge.set((replica.lagMs ?? Number.NaN) / 1_000),
  });
  const reads = metrics.counter<"reason">({
    name: "postgres_reads_total",
    help: "Statements of reads by why they went where: fresh and caught_up to the replica, the others to the primary.",
    labels: ["reason"],
  });
  return (reason) => reads.inc({ reason });
}
