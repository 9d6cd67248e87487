import type { Logger } from "../log/index.ts";

type Close = () => Promise<void> | void;

export interface Closers {
  add(name: string, close: Close): void;
  /**
   * Closes all in the reverse order of `add`, one after the other, and waits at most `boundMs` for each. A failure is
   * logged and the next one is closed all the same. Resolves to whether all of them closed.
   */
  closeAll(boundMs: number): Promise<boolean>;
}

export function createClosers(log: Logger): Closers {
  const closers: { name: string; close: Close }[] = [];

  const closeOne = async (name: string, close: Close, boundMs: number): Promise<boolean> => {
    try {
      await within(boundMs, async () => close());
      log.debug({ part: name }, "closed");
      return true;
    } catch (err) {
      log.error({ err, part: name }, "did not close");
      return false;
    }
  };

  return {
    add(name, close) {
      closers.push({ name, close });
    },
    async closeAll(boundMs) {
      let all = true;
      for (let next = closers.pop(); next !== undefined; next = closers.pop()) {
        const closed = await closeOne(next.name, next.close, boundMs);
        all &&= closed;
      }
      return all;
    },
  };
}

/** Rejects when the work has not ended after `boundMs`. */
export async function within<T>(boundMs: number, work: () => Promise<T>): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error(`not done within ${boundMs} ms`)), boundMs);
  try {
    return await Promise.race([work(), promise]);
  } finally {
    clearTimeout(timer);
  }
}
