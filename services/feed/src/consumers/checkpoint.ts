import type { FanOutProgress } from "../store/fan-out-progress.ts";

/** How far one fan-out has come. Batches are done in any order, and counted up to the first that is not. */
export interface Checkpoint {
  /** The follower id up to which an earlier attempt served all; 0 when there was none. One round trip. */
  read(): Promise<bigint>;
  /** A batch is under way; in ascending order of ids. */
  take(ids: readonly bigint[]): void;
  /** A batch is done. From `read` on, a round trip for each `every` followers. */
  done(ids: readonly bigint[]): Promise<void>;
  /** All are done. */
  end(): Promise<void>;
}

export interface CheckpointOptions {
  /** Without it nothing is kept. */
  readonly eventId: bigint | undefined;
  /** So many followers are served again at most after a crash. Shorter fan-outs write no checkpoint. */
  readonly every: number;
}

export function createCheckpoint(
  progress: FanOutProgress,
  { eventId, every }: CheckpointOptions,
): Checkpoint {
  const underWay: (readonly bigint[])[] = [];
  const finished = new Set<readonly bigint[]>();
  let earlier: Promise<bigint> | undefined;
  let served = 0;
  let reached = 0n;
  let kept = false;
  return {
    async read() {
      if (eventId === undefined) return 0n;
      earlier = progress.read(eventId);
      const followerId = await earlier;
      kept ||= followerId > 0n;
      return followerId;
    },
    take(ids) {
      underWay.push(ids);
    },
    async done(ids) {
      finished.add(ids);
      for (let first = underWay[0]; first !== undefined && finished.delete(first); first = underWay[0]) {
        underWay.shift();
        served += first.length;
        reached = first.at(-1) ?? reached;
      }
      if (eventId === undefined || earlier === undefined || served < every) return;
      served = 0;
      // What an earlier attempt has written is read before it is written over, and never lowered.
      if (reached <= (await earlier)) return;
      kept = true;
      await progress.save(eventId, reached);
    },
    async end() {
      if (eventId !== undefined && kept) await progress.clear(eventId);
    },
  };
}
