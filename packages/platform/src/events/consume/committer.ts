import type { Logger } from "../../log/index.ts";
import { backoffMs } from "./backoff.ts";
import type { OwnedPartition } from "./owned-partition.ts";
import type { Position } from "./window.ts";

/** How long handled records wait so that one commit serves many. A crash repeats at most this much work. */
const batchMs = 50;
/** The longest pause after commits that failed. */
const mostPauseMs = 1_000;
/** Handled records that are committed without waiting. */
const batchRecords = 256;

/** The end of a partition's handled prefix. */
export interface Commit {
  readonly owned: OwnedPartition;
  readonly position: Position;
}

/**
 * Remembers positions for the group. Resolves to those partitions of the commits that turned out to be
 * another process's; rejects when nothing can be said, and is called again.
 */
export type WriteCommits = (commits: readonly Commit[]) => Promise<readonly OwnedPartition[]>;

export interface Committer {
  /** Tells that the handled prefix of a partition may have grown. */
  touched(owned: OwnedPartition): void;
  /** Commits the handled prefixes of partitions now. Rejects when they could not be written. */
  commit(partitions: Iterable<OwnedPartition>): Promise<void>;
  close(): void;
}

export interface CommitterOptions {
  readonly write: WriteCommits;
  readonly log: Logger;
  readonly onLost: (owned: OwnedPartition) => void;
  readonly onCommitted: (owned: OwnedPartition) => void;
}

export function createCommitter({ write, log, onLost, onCommitted }: CommitterOptions): Committer {
  const dirty = new Set<OwnedPartition>();
  let timer: NodeJS.Timeout | undefined;
  let flushing = false;
  let handled = 0;
  let failures = 0;
  let last: Promise<void> = Promise.resolve();
  let closed = false;

  async function commitNow(partitions: Iterable<OwnedPartition>): Promise<void> {
    const commits: Commit[] = [];
    for (const owned of partitions) {
      const position = owned.window.committable();
      if (position !== undefined) commits.push({ owned, position });
    }
    if (commits.length === 0) return;
    const lost = new Set(await write(commits));
    for (const { owned, position } of commits) {
      if (lost.has(owned)) {
        onLost(owned);
        continue;
      }
      owned.window.committed(position);
      onCommitted(owned);
    }
  }

  /** One write at a time: an older position that arrived behind a newer one would take the group back. */
  function commit(partitions: Iterable<OwnedPartition>): Promise<void> {
    const done = last.then(() => commitNow(partitions));
    last = done.catch(() => undefined);
    return done;
  }

  async function flush(): Promise<void> {
    timer = undefined;
    handled = 0;
    flushing = true;
    const partitions = [...dirty];
    dirty.clear();
    try {
      await commit(partitions);
      failures = 0;
    } catch (error) {
      failures++;
      log.debug({ err: error }, "event log: commit failed, will be repeated");
      for (const owned of partitions) if (!owned.signal.aborted) dirty.add(owned);
    }
    flushing = false;
    if (dirty.size === 0 || closed) return;
    const pauseMs = failures === 0 ? batchMs : Math.min(backoffMs(failures), mostPauseMs);
    timer ??= setTimeout(() => void flush(), pauseMs);
  }

  return {
    touched(owned) {
      dirty.add(owned);
      if (flushing || closed) return;
      if (++handled === batchRecords && failures === 0) {
        clearTimeout(timer);
        void flush();
      } else {
        timer ??= setTimeout(() => void flush(), batchMs);
      }
    },
    commit,
    close() {
      closed = true;
      clearTimeout(timer);
    },
  };
}
