import { type Query, type Queryable } from "./open-postgres.ts";
import { parseLsn, type WalPosition } from "./wal-position.ts";

/** Where the primary's log ends. */
export interface PrimaryLog {
  /**
   * A position that all that was committed before this call lies behind. Those who ask while another's question is
   * under way share the next one, and its very answer: at most one round trip at a time, whatever the number of writes.
   * Rejects when a question takes more than 500 ms.
   */
  position(): Promise<WalPosition>;
}

const answersWithinMs = 500;

interface Row {
  readonly lsn: string;
  readonly timeline: string;
}

/**
 * What is flushed, not what is inserted: a commit is acknowledged when it is flushed, so it lies behind this; and what
 * others have inserted without a commit reaches a replica only when it is flushed, up to `wal_writer_delay` later, so
 * that reads would wait for it in vain. The name of a log file begins with the timeline.
 */
const query: Query = {
  name: "primary-log-position",
  text: `select lsn::text, left(pg_walfile_name(lsn), 8) as timeline from pg_current_wal_flush_lsn() as lsn`,
};

export function createPrimaryLog(primary: Queryable): PrimaryLog {
  let next: Promise<WalPosition> | undefined;
  let running: Promise<unknown> = Promise.resolve();

  async function ask(): Promise<WalPosition> {
    const late = Promise.withResolvers<never>();
    const timer = setTimeout(() => late.reject(new Error("the primary takes too long")), answersWithinMs);
    const [row] = await Promise.race([primary.query<Row>(query), late.promise]).finally(() =>
      clearTimeout(timer),
    );
    if (row === undefined) throw new Error("the primary did not say where its log ends");
    return { timeline: Number.parseInt(row.timeline, 16), lsn: parseLsn(row.lsn) };
  }

  return {
    position() {
      next ??= running.then(() => {
        next = undefined;
        const answer = ask();
        running = answer.catch(() => undefined);
        return answer;
      });
      return next;
    },
  };
}
