import type { Cancellation } from "@chirrup/grpc";

/** Resolves after `ms`, or when the signal aborts, whichever comes first. */
export function pause(ms: number, signal: Cancellation): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", listener);
      resolve();
    };
    const timer = setTimeout(done, ms);
    const listener = { handleEvent: done };
    signal.addEventListener("abort", listener);
  });
}
