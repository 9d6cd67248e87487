import type { Redis } from "ioredis";
import type { Logger } from "../../log/index.ts";
import { streamKeys } from "./keys.ts";
import type { OwnedPartition } from "./owned-partition.ts";
import { scripts } from "./scripts.ts";

/** How long handled entries wait so that one commit serves many. A crash repeats at most this much work. */
const batchMs = 50;
/** Handled entries that are committed without waiting. */
const batchEntries = 256;

export interface Committer {
  /** Tells that the handled prefix of a partition may have grown. */
  touched(owned: OwnedPartition): void;
  /** Commits the handled prefix of a partition now. */
  commit(owned: OwnedPartition): Promise<void>;
  close(): void;
}

export interface CommitterOptions {
  readonly redis: Redis;
  readonly group: string;
  readonly log: Logger;
  readonly onLost: (owned: OwnedPartition) => void;
  readonly onCommitted: (owned: OwnedPartition) => void;
}

export function createCommitter({ redis, group, log, onLost, onCommitted }: CommitterOptions): Committer {
  const dirty = new Set<OwnedPartition>();
  let timer: NodeJS.Timeout | undefined;
  let flushing = false;
  let handled = 0;

  async function commit(owned: OwnedPartition): Promise<void> {
    const position = owned.window.committable();
    if (position === undefined) return;
    const keys = [
      streamKeys.lease(group, owned.topic, owned.partition),
      streamKeys.positions(owned.topic, owned.partition),
    ];
    const reply = await scripts.commit(redis, keys, [owned.token, group, position.id, position.count]);
    if (reply !== 1) {
      onLost(owned);
      return;
    }
    owned.window.committed(position);
    onCommitted(owned);
  }

  async function flush(): Promise<void> {
    timer = undefined;
    handled = 0;
    flushing = true;
    const partitions = [...dirty];
    dirty.clear();
    const results = await Promise.allSettled(partitions.map(commit));
    flushing = false;
    results.forEach((result, i) => {
      const owned = partitions[i];
      if (result.status === "fulfilled" || owned === undefined || owned.signal.aborted) return;
      log.debug(
        { err: result.reason as unknown, topic: owned.topic },
        "event log: commit failed, will be repeated",
      );
      dirty.add(owned);
    });
    if (dirty.size > 0) timer ??= setTimeout(() => void flush(), batchMs);
  }

  return {
    touched(owned) {
      dirty.add(owned);
      if (flushing) return;
      if (++handled === batchEntries) {
        clearTimeout(timer);
        void flush();
      } else {
        timer ??= setTimeout(() => void flush(), batchMs);
      }
    },
    commit,
    close: () => clearTimeout(timer),
  };
}
