/** A timer that fires later than this was held up by this process itself. */
const stallMs = 5;
const maxExtensions = 5;

/** One wait, in the list of those that are not over. */
interface Wait {
  readonly dueMs: number;
  before: Wait | undefined;
  after: Wait | undefined;
  end(): void;
}

/**
 * Makes waits that end: what is given rejects when it takes longer than `afterMs`. All of them share one timer. Time for
 * which this process was busy does not count, within limits: a reply may have come long ago, and lie in the socket.
 *
 * Why a list: a wait that is over is let go at once. What outlives some collections of young garbage is moved to the old
 * heap, whose collection costs many times as much.
 */
export function createDeadline(afterMs: number, message: string): <T>(promise: Promise<T>) => Promise<T> {
  /** In the order in which they are due. */
  let first: Wait | undefined;
  let last: Wait | undefined;
  let extensions = 0;
  let isArmed = false;

  function add(wait: Wait): void {
    wait.before = last;
    if (last === undefined) first = wait;
    else last.after = wait;
    last = wait;
    if (!isArmed) arm(afterMs);
  }

  function remove(wait: Wait): void {
    const { before, after } = wait;
    if (before === undefined) first = after;
    else before.after = after;
    if (after === undefined) last = before;
    else after.before = before;
    // One in the old heap would keep all behind it alive.
    wait.before = undefined;
    wait.after = undefined;
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
    for (let oldest = first; oldest !== undefined && oldest.dueMs <= nowMs; oldest = first) {
      remove(oldest);
      oldest.end();
    }
    isArmed = false;
    if (first !== undefined) arm(Math.max(1, first.dueMs - nowMs));
  }

  return (promise) =>
    new Promise((resolve, reject) => {
      let isOver = false;
      const wait: Wait = {
        dueMs: performance.now() + afterMs,
        before: undefined,
        after: undefined,
        end() {
          isOver = true;
          reject(new Error(message));
        },
      };
      const over = (): void => {
        if (!isOver) remove(wait);
        isOver = true;
      };
      add(wait);
      promise.then(
        (value) => {
          over();
          resolve(value);
        },
        (error: unknown) => {
          over();
          reject(error instanceof Error ? error : new Error(String(error)));
        },
      );
    });
}
