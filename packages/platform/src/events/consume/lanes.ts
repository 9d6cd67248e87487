/** What became of an item: finished, or to be tried again after a pause. */
export type Outcome = { readonly retryAfterMs: number } | undefined;

export interface LanesOptions<T> {
  /** Items that run at a time. */
  readonly concurrency: number;
  /**
   * Runs an item; must not reject.
   *
   * @param attempt 1 for the first.
   */
  readonly run: (item: T, attempt: number) => Promise<Outcome>;
}

/**
 * Runs items of different lanes concurrently and items of one lane one after the other. A lane that waits
 * for its next attempt takes no place from the others.
 */
export interface Lanes<T> {
  push(lane: string, item: T): void;
  /** Starts nothing any more. */
  close(): void;
}

interface Lane<T> {
  readonly name: string;
  readonly items: T[];
  attempt: number;
}

export function createLanes<T>({ concurrency, run }: LanesOptions<T>): Lanes<T> {
  const lanes = new Map<string, Lane<T>>();
  /** Lanes whose first item may run, in the order they became so. */
  const ready = new Set<Lane<T>>();
  const pauses = new Set<NodeJS.Timeout>();
  let running = 0;
  let closed = false;

  function pump(): void {
    for (const lane of ready) {
      if (closed || running >= concurrency) return;
      ready.delete(lane);
      running++;
      void step(lane);
    }
  }

  async function step(lane: Lane<T>): Promise<void> {
    const item = lane.items[0];
    const outcome = item === undefined ? undefined : await run(item, lane.attempt);
    running--;
    if (outcome === undefined) {
      lane.items.shift();
      lane.attempt = 1;
      if (lane.items.length > 0) ready.add(lane);
      else lanes.delete(lane.name);
    } else {
      lane.attempt++;
      pause(lane, outcome.retryAfterMs);
    }
    pump();
  }

  function pause(lane: Lane<T>, pauseMs: number): void {
    if (closed) return;
    const timer = setTimeout(() => {
      pauses.delete(timer);
      ready.add(lane);
      pump();
    }, pauseMs);
    pauses.add(timer);
  }

  return {
    push(name, item) {
      let lane = lanes.get(name);
      if (lane === undefined) {
        lane = { name, items: [], attempt: 1 };
        lanes.set(name, lane);
        ready.add(lane);
      }
      lane.items.push(item);
      pump();
    },
    close() {
      closed = true;
      for (const timer of pauses) clearTimeout(timer);
      pauses.clear();
    },
  };
}
