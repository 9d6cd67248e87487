import type { Call } from "@chirrup/platform";

/** A service's database: a primary, and a replica that has its writes at once or, held up, later. */
export interface Database<Rows> {
  readonly primary: Rows;
  /** Writes so far: where the log of the primary ends. */
  readonly written: number;
  /** Makes a write on the primary; the replica makes it too when its turn comes. Answers its place in the log. */
  write(change: (rows: Rows) => void): number;
  /** A consistency token of all that is written. */
  token(): string;
  /** How many writes a call's tokens stand for. */
  standsFor(tokens: readonly string[]): number;
  /** How many writes are in whatever a call is answered from, now or later. */
  leastKnown(tokens: readonly string[]): number;
  /** Where the reads of a call go, as in the platform's `Reads`. */
  reads(call: ReadTerms): Rows;
  /** What is found for a call; looked for again on the primary when something is missing. */
  whole<T>(call: ReadTerms, read: (rows: Rows) => T, isWhole: (found: T) => boolean): T;
  /** From now on the replica makes no write, until `catchUp` or until it gets no reads for being so far behind. */
  holdUp(): void;
  /** The replica makes so many writes that it lacks, or all of them; then it is held up no longer. */
  catchUp(writes?: number): void;
}

type ReadTerms = Pick<Call, "consistency" | "readsPrimary">;

export interface DatabaseOptions<Rows> {
  /** The service's name in its tokens. */
  readonly service: string;
  readonly empty: () => Rows;
  readonly nowMs: () => number;
}

/** A replica further behind gets no reads: REPLICA_MAX_LAG_MS. */
const maxLagMs = 10_000;

export function createDatabase<Rows>({ service, empty, nowMs }: DatabaseOptions<Rows>): Database<Rows> {
  const primary = empty();
  const replica = empty();
  const lacking: { readonly atMs: number; change(rows: Rows): void }[] = [];
  let written = 0;
  let isHeldUp = false;

  function replay(writes: number): void {
    for (const { change } of lacking.splice(0, writes)) change(replica);
    isHeldUp &&= lacking.length > 0;
  }
  /** Out of the rotation or caught up is the same to a reader, so that it never falls back behind what was read. */
  function applied(): number {
    const tooOldMs = nowMs() - maxLagMs;
    while (lacking[0] !== undefined && lacking[0].atMs <= tooOldMs) replay(1);
    return written - lacking.length;
  }
  function standsFor(tokens: readonly string[]): number {
    const own = tokens.filter((token) => token.startsWith(`${service}.`));
    return Math.max(0, ...own.map((token) => Number(token.slice(service.length + 1))));
  }
  const serves = ({ consistency, readsPrimary }: ReadTerms): boolean =>
    !readsPrimary && applied() >= standsFor(consistency);

  return {
    primary,
    get written() {
      return written;
    },
    write(change) {
      change(primary);
      written += 1;
      if (isHeldUp) lacking.push({ atMs: nowMs(), change });
      else change(replica);
      return written;
    },
    token: () => `${service}.${written}`,
    standsFor,
    leastKnown: (tokens) => Math.max(applied(), standsFor(tokens)),
    reads: (call) => (serves(call) ? replica : primary),
    whole(call, read, isWhole) {
      const isReplica = serves(call);
      const found = read(isReplica ? replica : primary);
      return !isReplica || isWhole(found) ? found : read(primary);
    },
    holdUp() {
      isHeldUp = true;
    },
    catchUp(writes = lacking.length) {
      replay(writes);
    },
  };
}
