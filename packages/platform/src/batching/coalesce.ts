import { runTogether, type Waiting } from "./waiting.ts";

/** Items of one key that are run together. Answers one result for each item, in their order. */
export type RunTogether<Item, Result> = (key: bigint, items: readonly Item[]) => Promise<readonly Result[]>;

/**
 * Group commit across callers: an item is run at once when nothing of its key is under way; those that come
 * meanwhile wait and are run together, in their order, when that has ended. Keys do not wait for one another.
 *
 * *Why*: what a write of a busy key costs is the trip and the commit, not the row. Nothing waits for company, so
 * a quiet key loses no time, and the busier a key is the more its writes share. A run that fails fails all of
 * its items.
 *
 * @param maxItems The most that are run together, at least 1.
 * @param patienceMs How long those that come meanwhile wait for the run before them: one that is stuck shall not hold
 * up all others of its key, where they need not be in order. Default: until it has ended.
 */
export function coalesce<Item, Result>(
  maxItems: number,
  run: RunTogether<Item, Result>,
  { patienceMs }: { readonly patienceMs?: number } = {},
): (key: bigint, item: Item) => Promise<Result> {
  /** What waits, by each key that is under way. */
  const queues = new Map<bigint, Waiting<Item, Result>[]>();

  async function drain(key: bigint, queue: Waiting<Item, Result>[]): Promise<void> {
    while (queue.length > 0) {
      const running = runTogether(queue.splice(0, maxItems), (items) => run(key, items));
      await (patienceMs === undefined ? running : atMost(patienceMs, running));
    }
    queues.delete(key);
  }

  return (key, item) => {
    const settle = Promise.withResolvers<Result>();
    const queue = queues.get(key);
    if (queue !== undefined) {
      queue.push({ item, settle });
    } else {
      const fresh = [{ item, settle }];
      queues.set(key, fresh);
      void drain(key, fresh);
    }
    return settle.promise;
  };
}

/** Until it has ended, which never fails, or the time is over. */
function atMost(ms: number, running: Promise<void>): Promise<void> {
  return new Promise((resolve) => {
    const over = setTimeout(resolve, ms);
    void running.then(() => {
      clearTimeout(over);
      resolve();
    });
  });
}
