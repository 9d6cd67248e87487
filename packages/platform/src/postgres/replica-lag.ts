import { includes, type WalPosition } from "./wal-position.ts";

/** How far a replica is behind, in time. */
export interface LagMeter {
  /** The primary's log went as far as this at some time during the question. */
  primaryIsAt(position: WalPosition): void;
  replicaIsAt(position: WalPosition): void;
  /**
   * How long the replica has been without something that the primary had: milliseconds, 0 when there is nothing.
   * Undefined until it has first come to where the primary was seen.
   */
  lagMs(): number | undefined;
}

interface Sighting {
  readonly atMs: number;
  readonly position: WalPosition;
}

/** More than are ever needed at two a second and a bound of a minute; of older ones every second one is dropped. */
const mostSightings = 256;

/**
 * Compares where the replica is with where the primary was seen, by this process's clock.
 *
 * Why not `now() - pg_last_xact_replay_timestamp()`: that grows while nobody writes, and is wrong by the difference of
 * two servers' clocks.
 *
 * @param nowMs - A clock that never steps back.
 */
export function createLagMeter(nowMs: () => number): LagMeter {
  /** In their order; all but the first are ahead of the replica. */
  let sightings: Sighting[] = [];
  let replica: WalPosition | undefined;
  let known = false;

  function dropReached(): void {
    if (replica === undefined) return;
    const at = replica;
    const reached = sightings.findLastIndex(({ position }) => includes(at, position));
    if (reached === -1) return;
    known = true;
    sightings = sightings.slice(reached);
  }

  return {
    primaryIsAt(position) {
      const last = sightings.at(-1)?.position;
      // Before a promotion nothing can be compared with what comes after.
      if (last !== undefined && last.timeline !== position.timeline) {
        sightings = [];
        known = false;
      }
      sightings.push({ atMs: nowMs(), position });
      if (sightings.length > mostSightings) {
        sightings = sightings.filter((_, index) => index === 0 || index % 2 === 1);
      }
      dropReached();
    },
    replicaIsAt(position) {
      replica = position;
      dropReached();
    },
    lagMs() {
      if (!known) return undefined;
      const firstMissing = sightings[1];
      return firstMissing === undefined ? 0 : nowMs() - firstMissing.atMs;
    },
  };
}
