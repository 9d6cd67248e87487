/** A timer that fires later than this was held up by this process itself. */
const stallMs = 5;
const maxExtensions = 5;

interface Wait {
  readonly dueMs: number;
  isOver: boolean;
  end(): void;
}

/**
 * Makes waits that end: what is given rejects when it takes longer than `afterMs`. All of them share one timer. Time for
 * which this process was busy does not count, within limits: a reply may have come long ago, and lie in the socket.
 */
export function createDeadline(afterMs: number, message: string): <T>(promise: Promise<T>) => Promise<T> {
  /** In the order in which they are due, from `first` on. */
  let waits: Wait[] = [];
  let first = 0;
  let extensions = 0;
  let isArmed = false;

  function dropSettled(): Wait | undefined {
    while (waits[first]?.isOver === true) first += 1;
    const oldest = waits[first];
    if (oldest === undefined || first > 1_024) {
      waits = waits.slice(first);
      first = 0;
    }
    return oldest;
  }

  function arm(inMs: number): void {
    isArmed = true;
    const expectedMs = performance.now() + inMs;
    setTimeout(() => {
      if (performance.now() - expectedMs > stallMs && extensions < maxExtensions) {
        extensions += 1;
        arm(afterMs);
      } else {
        // Sockets are read between timers and immediates.
        setImmediate(expire);
      }
    }, inMs);
  }

  function expire(): void {
    extensions = 0;
    const nowMs = performance.now();
    let oldest = dropSettled();
    for (; oldest !== undefined && oldest.dueMs <= nowMs; oldest = dropSettled()) {
      oldest.isOver = true;
      oldest.end();
    }
    isArmed = false;
    if (oldest !== undefined) arm(Math.max(1, oldest.dueMs - nowMs));
  }

  return (promise) =>
    new Promise((resolve, reject) => {
      const wait: Wait = {
        dueMs: performance.now() + afterMs,
        isOver: false,
        end: () => reject(new Error(message)),
      };
      waits.push(wait);
      if (!isArmed) arm(afterMs);
      promise.then(
        (value) => {
          wait.isOver = true;
          resolve(value);
        },
        (error: unknown) => {
          wait.isOver = true;
          reject(error instanceof Error ? error : new Error(String(error)));
        },
      );
    });
}
